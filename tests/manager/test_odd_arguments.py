"""What no column, no file and no clock holds is refused in one sentence by every call, whoever passes it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError, Malformed, Refused, Unavailable

from ..asking import until

HUGE: Final = 10**5000
EARLY: Final = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
ODD: Final[dict[str, Callable[[ModelManager], object]]] = {
    "as of before the year 1": lambda m: m.sql("select 1", as_of=EARLY),
    "as of a huge number": lambda m: m.sql("select 1", as_of=HUGE),
    "as of a tensor": lambda m: m.sql("select 1", as_of=torch.ones(3)),
    "waiting for a huge number": lambda m: m.sql("select 1", wait_for=HUGE),
    "a timeout that is none": lambda m: m.sql("select 1", timeout=float("nan")),
    "a timeout of less than nothing": lambda m: m.sql("select 1", timeout=-1),
    "half a character in SQL": lambda m: m.sql("select '\ud800'"),
    "events behind a huge number": lambda m: list(m.events(after=HUGE)),
    "events behind 2**63": lambda m: list(m.events(after=2**63)),
    "a huge version": lambda m: m.load_version(HUGE),
    "a huge weight": lambda m: m.merge("net@1", weight=HUGE),
    "a weight of several": lambda m: m.merge("net@1", weight=torch.ones(3)),
    "a huge step": lambda m: m.load_checkpoint("x", HUGE),
    "several tensors as a number": lambda m: m.runs(most=torch.ones(3)),
    "parents that cannot be counted": lambda m: m.save_version(
        {"w": np.ones(1)}, name="net", parents=torch.tensor(1.0)
    ),
    "half a character in a model": lambda m: m.log(model="\ud800"),
    "half a character in a name": lambda m: m.forget_actor("\ud800"),
    "half a character in a search": lambda m: m.find("note.x = '\ud800'"),
    "a snapshot without a name": lambda m: m.snapshot(""),
    "a snapshot of half a character": lambda m: m.snapshot("\ud800"),
    "a snapshot with a null": lambda m: m.snapshot("a\0b"),
    "a place that is too long": lambda m: m.heal("a" * 5000),
    "a file whose name is too long": lambda m: m.save_version({"w": np.ones(1)}, name="net", files={"f": "a" * 5000}),
    "a huge number of jobs": lambda m: m.jobs.recent(HUGE),
}


@pytest.fixture
def manager(home: Path) -> ModelManager:
    manager = ModelManager(home, actor="ada")
    manager.save_version({"w": np.zeros(3)}, name="net")
    return manager


@pytest.mark.parametrize("what", ODD)
def test_an_argument_that_nothing_holds_is_refused_in_a_sentence(manager: ModelManager, what: str) -> None:
    with pytest.raises(Refused) as raised:
        ODD[what](manager)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 800
    assert manager.verify().size == manager.sql("SELECT max(seq) AS n FROM events")["n"][0].as_py()


def test_a_query_may_take_as_long_as_it_needs(manager: ModelManager, capfd: pytest.CaptureFixture[str]) -> None:
    assert manager.sql("SELECT 1 AS n", timeout=float("inf"))["n"].to_pylist() == [1]
    assert "Exception in thread" not in capfd.readouterr().err


def shared(depth: int) -> list[Any]:
    """An object that holds itself in two places, so many times over."""
    made: list[Any] = [1]
    for _ in range(depth):
        made = [made, made]
    return made


class Rude:
    """An object that raises whatever it is asked."""

    def __getattr__(self, name: str) -> object:
        raise ZeroDivisionError(name)


UNREADABLE: Final[dict[str, Callable[[], object]]] = {
    "a tensor without data": lambda: torch.empty(2, device="meta"),
    "a sparse tensor": lambda: torch.eye(2).to_sparse(),
    "shared without end": lambda: shared(40),
    "rude": Rude,
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_hyperparameter_that_cannot_be_read_is_refused_before_the_training(manager: ModelManager, what: str) -> None:
    with pytest.raises(Malformed, match=r"hyperparameters\.v"):
        manager.run("net", hyperparameters={"v": UNREADABLE[what]()})


WORDS: Final[dict[str, dict[str, Any]]] = {
    "data as a tensor": {"data": torch.randn(9, 3)},
    "data as an array": {"data": np.ones((9, 3))},
    "hyperparameters as an array": {"hyperparameters": np.ones(3)},
    "a run": {"run": "x"},
    "a source": {"source": "x"},
    "a writer": {"writer": "x"},
    "a name that is a number": {"name": 5},
    "a key that is a number": {"key": 5},
    "files that are a number": {"files": 5},
    "a branch that is a number": {"branch": 5},
    "metrics that are a number": {"metrics": 5},
    "annotations that are a list": {"annotations": [1]},
    "a parent that is an object": {"parents": [object()]},
    "an expected version that is an object": {"expected": object()},
}


@pytest.mark.parametrize("words", WORDS)
def test_whatever_the_save_of_a_run_is_given_what_was_trained_is_kept(manager: ModelManager, words: str) -> None:
    with manager.run("net") as run:
        run.log({"loss": 1.0})
        kept: str | None = None
        with suppress(LeptonError):
            try:
                assert manager.load_arrays(run.save({"w": np.full(3, 9.0)}, **WORDS[words]))["w"].tolist() == [9.0] * 3
            except LeptonError as refusal:
                kept = refusal.kept or "nowhere"
                raise
    assert kept is None or manager.load_kept(kept)["w"].tolist() == [9.0] * 3


def test_a_run_logs_from_several_threads_and_loses_no_point(manager: ModelManager) -> None:
    faults: list[BaseException] = []
    with manager.run("net") as run:

        def log(name: str) -> None:
            try:
                for step in range(3000):
                    run.log({name: 1.0}, step=step)
            except BaseException as fault:  # noqa: BLE001
                faults.append(fault)

        threads = [threading.Thread(target=log, args=(f"m{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(Malformed, match="metrics are an int"):
            run.log(5)  # pyright: ignore[reportArgumentType]
    assert faults == []
    assert manager.show_run(run.id).points == 12_000
    assert manager.sql("SELECT count(*) AS n FROM metrics")["n"].to_pylist() == [12_000]


def test_who_resumes_a_run_shuts_out_whoever_logged_to_it_before_at_once(manager: ModelManager, home: Path) -> None:
    first = manager.run("net").__enter__()
    first.log({"x": 1.0}, step=1)
    first.flush()
    with ModelManager(home).resume(first.id) as second:
        first.log({"x": 2.0}, step=2)
        with pytest.raises(Refused, match="goes on elsewhere"):
            first.flush()
        with pytest.raises(Refused, match="goes on elsewhere"):
            first.checkpoint({"w": np.ones(3)}, step=5)
        with pytest.raises(Refused, match="goes on elsewhere") as refused:
            first.save({"w": np.ones(3)})
        assert manager.load_kept(refused.value.kept)["w"].tolist() == [1.0] * 3
        second.log({"x": 3.0}, step=2)
        second.save({"w": np.full(3, 2.0)})
    first.__exit__(None, None, None)
    rows = manager.sql("SELECT step, value FROM metrics WHERE name = 'x' ORDER BY step").to_pylist()
    assert [(row["step"], row["value"]) for row in rows] == [(1, 1.0), (2, 3.0)]


def test_a_home_that_is_gone_is_made_anew_by_no_reader(manager: ModelManager, home: Path) -> None:
    away = home.with_name("away")
    home.rename(away)
    for act in (
        lambda: manager.sql("SELECT 1"),
        lambda: manager.find("metric.f1 > 0"),
        lambda: manager.save_version({"w": np.ones(3)}, name="net"),
        lambda: manager.rebuild(),
    ):
        with pytest.raises((Unavailable, Refused)):
            act()
        assert not home.exists()
    away.rename(home)
    assert manager.save_version({"w": np.ones(3)}, name="net") == 2


@pytest.mark.parametrize("what", ["pipe", "device", "large", "folder"])
def test_the_small_files_of_a_home_may_be_anything_and_nobody_hangs(
    manager: ModelManager, home: Path, what: str
) -> None:
    manager.save_version({"w": np.ones(3)}, name="net", tags=["t"])
    with pytest.raises(Refused):
        manager.save_version({"w": np.full(3, 2.0)}, name="net", tags=["t"])
    manager.close()
    stories = [*(home / "spool").rglob("*.reason")]
    assert stories
    for place in (home / "main.id", *stories):
        place.unlink()
        match what:
            case "pipe":
                os.mkfifo(place)
            case "device":
                place.symlink_to("/dev/zero")
            case "large":
                place.write_bytes(b"x" * 2_000_000)
            case _:
                place.mkdir()
    ended = threading.Event()

    def use() -> None:
        for act in ("kept", "log", "sync"):
            with suppress(LeptonError):
                getattr(ModelManager(home), act)()
        ended.set()

    threading.Thread(target=use, daemon=True).start()
    until(ended.is_set)


@pytest.mark.parametrize("column", ["recorded_at", "trusted_at"])
def test_fsck_lists_all_damage_where_the_heads_own_columns_are_damaged(
    manager: ModelManager, home: Path, column: str
) -> None:
    with manager._workspace.ledger.store.database.connection() as connection:
        connection.execute(f"UPDATE head SET {column} = 'x'")
    manager.close()
    found = ModelManager(home).fsck(projection=False)
    assert [each.thing for each in found if "head" in each.thing]
