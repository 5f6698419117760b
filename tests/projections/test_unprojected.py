"""Stored events that no view can hold are set aside by name, and everything else goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.domain.commands import LogMetrics, RecordObservation, StartRun
from lepton_ai.errors import Damaged, NewerLedger
from lepton_ai.events.bounds import STORED
from lepton_ai.events.event import Event
from lepton_ai.events.model import MetricsRecorded, ModelRegistered, TagCreated
from lepton_ai.events.outside import ObservationRecorded
from lepton_ai.events.run import MetricsLogged, RunCheckpointed, RunStarted
from lepton_ai.manager import ModelManager
from lepton_ai.projections.check import compare
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.query import query

from ..cli_home import Cli
from ..examples import examples
from .past import START, Past, committed, digest, pasts
from .test_laws import all_views, projection
from .test_storage import changed

E = TypeVar("E", bound=Event)


def as_before(kind: type[E], **data: Any) -> E:
    """An event as it could be made before its numbers had bounds."""
    return kind.model_validate(data, context=STORED)


def observed(rows: int, **data: Any) -> ObservationRecorded:
    span = {"since": START, "until": START} | data
    return as_before(ObservationRecorded, model="credit", version=1, rows=rows, metrics={"psi": 0.1}, **span)


BAD: tuple[tuple[str, Event], ...] = (
    ("run/r", as_before(RunCheckpointed, tensors=digest(1), step=2**63)),
    ("run/r", as_before(RunCheckpointed, tensors=digest(1), step=10**4000)),
    ("run/r", as_before(MetricsLogged, names=("f1",), steps=(2**63,), values=(0.5,), times=(START,))),
    ("run/r", as_before(MetricsLogged, names=("f1",), steps=(1,), values=(0.5,), times=("0001-01-01T00:00:00+14:00",))),
    ("endpoint/e", observed(2**64)),
    ("endpoint/e", observed(1, since="0001-01-01T00:00:00+14:00")),
    ("endpoint/e", observed(1, until="9999-12-31T23:59:59.999999-14:00")),
)


def test_the_ledger_that_held_such_events_answers_rebuilds_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get there by the path that admitted them: a command whose event was made without bounds."""
    monkeypatch.setattr("lepton_ai.domain.run.decide.checked_times", lambda *times: None)  # which did not exist then
    monkeypatch.setattr("lepton_ai.domain.told.checked_times", lambda *times: None)
    home = tmp_path / "home"
    with ModelManager(home) as manager:
        manager.save_version({"w": np.zeros(3, np.float32)}, name="credit")
        work = manager._workspace
        actor = work.actors.named("ada")
        work.ledger.admit(StartRun(run="r", model="credit"), actor)
        first = work.ledger.store.end() + 1
        for stream, event in BAD:
            if isinstance(event, MetricsLogged):
                work.ledger.admit(LogMetrics(run="r", blocks=(event,)), actor)
            elif isinstance(event, ObservationRecorded):
                work.ledger.admit(RecordObservation(endpoint=stream[9:], observed=event), actor)
        last = work.ledger.store.end()
        manager.tag("v1", "credit@1")

        assert manager.sql("SELECT tag FROM tags")["tag"].to_pylist() == ["v1"]
        aside = manager.sql("SELECT * FROM unprojected ORDER BY seq").to_pylist()
        assert [row["seq"] for row in aside] == list(range(first, last + 1))
        assert {row["stream"] for row in aside} == {"run/r", "endpoint/e"}
        assert all(row["reason"] and len(row["reason"]) < 250 for row in aside)
        assert manager.sql("FROM unprojected", as_of=first).num_rows == 1
        assert manager.sql("SELECT seq FROM events").num_rows == work.ledger.store.end()
        assert manager.rebuild() == work.ledger.store.end()
        assert manager.fsck() == []
        assert [recorded["sequence"] for recorded in manager.events(after=first - 1)]
    cli = Cli(home)
    count = len(aside)
    assert f"{count} events set aside" in cli("status").out
    assert cli("status --json").json["views"] == {"events": last + 1, "unprojected": count}
    checked = cli("fsck --projection --json")
    assert (checked.code, checked.json) == (0, {"healed": [], "damaged": [], "unprojected": count})
    assert f"{count} events set aside" in cli("fsck").out


@settings(max_examples=examples(3), deadline=None, suppress_health_check=list(HealthCheck))
@given(past=pasts(most=10), data=st.data())
def test_what_is_set_aside_is_the_same_live_rebuilt_and_in_any_batches(past: Past, data: st.DataObject) -> None:
    past.add("run/r", RunStarted(run="r", model="credit"))
    for stream, event in data.draw(st.lists(st.sampled_from(BAD), min_size=1, max_size=6)):
        past.add(stream, event)
        past.add("model/credit", MetricsRecorded(version=1, metrics={"f1": 0.5}))
    with projection(past) as live, projection(past) as batched:
        for row in past.rows:
            live.apply([row])
        while (position := batched.position) < past.end():
            batched.apply(past.read(position, data.draw(st.integers(1, past.end()), label="batch")))
        assert all_views(live) == all_views(batched)
        assert all_views(live)["unprojected"]
        batched.rebuild()
        assert all_views(live) == all_views(batched)
        assert not list(compare(batched, past))


def test_many_such_events_among_many_good_ones_are_found_in_one_pass(tmp_path: Path) -> None:
    past = Past()
    past.add("model/credit", ModelRegistered(model="credit"), committed(1))
    past.add("run/r", RunStarted(run="r", model="credit"))
    for n in range(1000):
        past.add("model/credit", MetricsRecorded(version=1, metrics={"f1": 0.5}))
        if n % 100 == 0:
            past.add(*BAD[n // 100 % len(BAD)])
    with Projection(tmp_path, past, wait=0) as held:
        assert held.catch_up() == past.end()
        assert query(held, "FROM unprojected").num_rows == 10
        assert query(held, "FROM metrics").num_rows == 1000


def test_an_unknown_type_and_damage_still_stop_the_projector(tmp_path: Path) -> None:
    for old, new, error in (
        (b"lepton.tag.created.v1", b"lepton.tag.gilded.v1", NewerLedger),
        (b'"version":1}', b'"version":-1}', Damaged),
    ):
        past = Past()
        past.add("model/credit", ModelRegistered(model="credit"), committed(1))
        past.add(*BAD[4])
        past.add("model/credit", TagCreated(tag="t", version=1))
        past.rows[-1] = changed(past.rows[-1], old, new)
        with Projection(tmp_path / old.decode()[:5], past, wait=0) as held:
            with pytest.raises(error, match=r"lepton.tag.gilded.v1|event 4 is damaged"):
                held.catch_up()
            assert held.position == 0
