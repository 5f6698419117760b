"""The law of the spool: delivered later, a script's words make the ledger that they would have made at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai import ModelManager, Refused
from lepton_ai.versions.runs import points

from ..examples import examples
from .outage import locked

NAMES = st.sampled_from(["net", "credit"])
SAVES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "value": st.integers(0, 3),
        "message": st.sampled_from(["", "why"]),
        "tags": st.lists(st.sampled_from(["a", "b"]), max_size=1),
        "metrics": st.dictionaries(st.sampled_from(["f1", "loss"]), st.floats(0, 1), max_size=2),
        "annotations": st.dictionaries(st.just("n"), st.integers(0, 3) | st.none(), max_size=1),
        "hyperparameters": st.dictionaries(st.just("lr"), st.floats(0, 1), max_size=1),
        "parents": st.sampled_from([None, None, ["main"]]),
        "files": st.sampled_from([{}, {"notes.txt": b"text"}]),
    }
)
RUNS = st.fixed_dictionaries(
    {
        "model": NAMES,
        "hyperparameters": st.dictionaries(st.just("lr"), st.floats(0, 1), max_size=1),
        "points": st.lists(st.floats(), max_size=3),
        "checkpoint": st.booleans(),
    }
)


def play(manager: ModelManager, acts: Iterable[dict[str, Any]]) -> None:
    for act in acts:
        try:
            if "value" in act:
                asked = {name: value for name, value in act.items() if name != "value"}
                manager.save_version({"w": np.full(5000, act["value"], "float32")}, **asked)
            else:
                train(manager, act)
        except Refused:
            pass


def train(manager: ModelManager, act: dict[str, Any]) -> None:
    with manager.run(act["model"], hyperparameters=act["hyperparameters"]) as run:
        for step, value in enumerate(act["points"]):
            run.log({"loss": value}, step=step)
        if act["checkpoint"]:
            run.checkpoint({"w": np.full(3, len(act["points"]), "float32")}, step=1)


def told(manager: ModelManager) -> list[tuple[str, str, Any]]:
    """The events without what differs between two ledgers: ids, times, and the names of packs and runs."""
    runs: dict[str, str] = {}

    def known(value: Any) -> Any:
        return runs.get(value, value) if isinstance(value, str) else value

    events = []
    for event in manager.events(after=1):
        data = {name: known(value) for name, value in event["data"].items() if name not in ("pack", "times", "run")}
        if event["type"] == "lepton.run.started.v1":
            runs[event["subject"]] = f"run {len(runs)}"
        events.append((event["type"], known(event["subject"]), data))
    return events


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(SAVES, max_size=2), after=st.lists(SAVES | RUNS, min_size=1, max_size=6))
def test_spooled_and_delivered_is_what_it_would_have_been_at_once(
    before: list[dict[str, Any]], after: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        at_once, later = (stack.enter_context(ModelManager(Path(folder, name))) for name in ("at_once", "later"))
        for manager in (at_once, later):
            manager._home.begin()
            play(manager, before)
        play(at_once, after)
        monkeypatch.setenv("LEPTON_WAIT", "0.01")
        monkeypatch.setattr(points, "SECONDS", 600.0)
        with ModelManager(Path(folder, "later")) as impatient, locked(Path(folder, "later")):
            play(impatient, after)
        monkeypatch.undo()
        later.sync()

        assert told(later) == told(at_once)
        assert later.models() == at_once.models()
        assert all(str(later.log(model=name).entries[0].version) == str(at_once.log(model=name).entries[0].version)
                   for name in later.models())  # fmt: skip
