"""The door for strangers: whatever a query asks for, its process ends at its limits and tells why in one sentence."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lepton_ai.errors import Damaged, Malformed, Refused
from lepton_ai.events.model import AliasMoved, ModelRegistered
from lepton_ai.projections.export import snapshot
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries import child
from lepton_ai.projections.queries.child import QueryLimits
from lepton_ai.projections.queries.client import Question

from ..asking import PATIENCE
from .past import Past, committed
from .test_guards import HOSTILE

LIMITS = QueryLimits(seconds=PATIENCE, cpu_seconds=4, memory=1 << 29, answer=4 << 20)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strangers")
    past = Past()
    past.add("model/credit", ModelRegistered(model="credit"), committed(1), committed(2, parents=(1,)))
    past.add("model/credit", AliasMoved(alias="production", from_version=None, to_version=2))
    with Projection(folder / "view", past, wait=0) as held:
        held.catch_up()
        snapshot(held, folder / "copy.duckdb")
    return folder / "copy.duckdb"


def asked(copy: Path, sql: str, limits: QueryLimits = LIMITS, **more: object) -> list[dict[str, object]]:
    return child.answer(copy, Question(sql, **more), limits).to_pylist()  # type: ignore[arg-type]


def test_it_answers_as_the_views_do_with_parameters_and_as_of(copy: Path) -> None:
    sql = "SELECT version FROM versions WHERE version > $least ORDER BY 1"
    assert asked(copy, sql, params={"least": 0}) == [{"version": 1}, {"version": 2}]
    assert asked(copy, sql, params={"least": 0}, as_of=2) == [{"version": 1}]
    assert asked(copy, "SELECT count(*) AS n FROM versions", as_of=date(2025, 12, 31)) == [{"n": 0}]
    with pytest.raises(Malformed, match="Table with name verions does not exist"):
        asked(copy, "FROM verions")


ENDLESS = "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"
GREEDY = {
    ENDLESS: "longer than 2 s",
    "SELECT length(repeat('x', 3000000000))": "memory",
    "SELECT i, repeat('x', 1000) FROM range(1000000) AS r (i)": "exceeds 4 MiB",
}
"""tests/web/test_sql.py asks many more."""


@pytest.mark.parametrize("sql", GREEDY)
def test_a_greedy_query_is_ended_at_its_limits(copy: Path, sql: str) -> None:
    with pytest.raises(Refused, match=GREEDY[sql]):
        asked(copy, sql, replace(LIMITS, seconds=2.0) if sql is ENDLESS else LIMITS)


@pytest.mark.parametrize("sql", [sql for sql in HOSTILE if "{folder}" not in sql][::20])
def test_what_the_views_refuse_is_refused_here_too(copy: Path, sql: str) -> None:
    with pytest.raises(Refused):
        asked(copy, sql)


def test_a_child_knows_no_secret_of_its_parents_and_leaves_no_process(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_DATABASE", "postgresql://me:secret@host/db")
    before = _children(os.getpid())
    with pytest.raises(Refused):
        asked(copy, "SELECT getenv('LEPTON_DATABASE')")
    assert set(_children(os.getpid())) <= set(before)


def test_a_damaged_copy_is_told_as_damage(copy: Path, tmp_path: Path) -> None:
    raw = copy.read_bytes()
    (tmp_path / "text.duckdb").write_text("hello")
    (tmp_path / "head.duckdb").write_bytes(bytes(12288) + raw[12288:])
    for name in ("text.duckdb", "head.duckdb"):
        with pytest.raises(Damaged, match="the read model is damaged"):
            asked(tmp_path / name, "SELECT max(data) FROM events")


def test_a_caller_that_is_killed_takes_its_child_along(copy: Path) -> None:
    """The kernel ends the child with its parent, whatever the query is at."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        theirs.send(b"x")
        child.answer(copy, Question(ENDLESS), QueryLimits(seconds=60.0, cpu_seconds=100))
        os._exit(0)
    theirs.close()
    assert ours.recv(1) == b"x"
    deadline = time.monotonic() + 60
    while not (found := _children(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    while any(Path(f"/proc/{each}").exists() and _alive(each) for each in found):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(process: str) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def _children(parent: int) -> list[str]:
    try:
        return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return []
