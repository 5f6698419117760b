"""The ledger as it was: a manager of the past reads what was there then, at every door to it, and writes nothing."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from lepton_ai import LastMove, ModelManager, Refused, UnknownRevision
from lepton_ai.errors import Malformed


class Lived:
    """A home in which much happened: what readers saw behind each event is remembered as it was seen then."""

    def __init__(self, home: Path) -> None:
        self.manager = ModelManager(home)
        self.seen: dict[int, dict[str, Any]] = {}
        self.weights: dict[int, float] = {}
        self._live()

    def note(self) -> None:
        self.seen[self.manager.position()] = told(self.manager)

    def save(self, value: float, **more: Any) -> None:
        version = self.manager.save_version(
            {"w": np.full(4, value, np.float32)}, name="toy", metrics={"f1": value}, **more
        )
        self.weights[int(cast(Any, version))] = value
        self.note()

    def _live(self) -> None:
        manager = self.manager
        self.save(0.5)
        for act in (
            lambda: manager.alias("production", "toy@1"),
            lambda: self.save(0.6, tags=["v2"]),
            lambda: manager.branch("wide", "toy@1"),
            lambda: manager.alias("production", "toy@2"),
            lambda: manager.annotate("toy@1", {"ticket": "A"}),
            lambda: manager.describe("toy", "for the tests"),
            lambda: self.save(0.7),
            lambda: manager.delete_tag("v2"),
            lambda: manager.rollback("toy@1", reason="worse"),
            lambda: manager.protect("production", require="f1 > 0.55"),
            lambda: manager.delete_branch("wide"),
            lambda: manager.save_version({"b": np.ones(2, np.float32)}, name="other"),
            lambda: manager.record_metrics("toy@1", {"f1": 0.9}),
            lambda: manager.archive("other"),
        ):
            act()
            self.note()


def told(manager: ModelManager) -> dict[str, Any]:
    """All that readers are told of a ledger."""
    versions = range(1, manager.about("toy").versions + 1)
    return {
        "models": manager.models(),
        "about": [manager.about(name).to_dict() for name in manager.models()],
        "log": manager.log(model="toy").to_dict(),
        "versions": [manager.show(f"toy@{number}").to_dict() for number in versions],
        "f1": {number: manager.show(f"toy@{number}").metrics["f1"] for number in versions},
        "moves": [manager.moves(name, model="toy").to_dict() for name in manager.branches("toy")],
        "aliases": (manager.aliases(model="toy"), manager.aliases(model="toy").last_moves),
        "tags": (manager.tags("toy"), manager.tags("toy").last_moves, manager.tags("toy").last),
        "protections": manager.protections("toy"),
        "events": len(list(manager.events())),
        "end": manager.position(),
    }


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    lived = Lived(tmp_path_factory.mktemp("lived") / "home")
    yield lived
    lived.manager.close()


def test_behind_every_event_readers_are_told_what_they_were_told_then(lived: Lived) -> None:
    assert len(lived.seen) > 10
    for seq, then in lived.seen.items():
        assert told(lived.manager.as_of(seq)) == then, f"behind event {seq}"


def test_before_the_first_event_there_is_nothing(lived: Lived) -> None:
    manager = lived.manager.as_of(0)

    assert manager.models() == []
    assert list(manager.events()) == []
    with pytest.raises(UnknownRevision):
        manager.about("toy")


def test_weights_are_loaded_by_the_names_of_the_past(lived: Lived) -> None:
    early, late = (lived.manager.as_of(seq) for seq in (min(lived.seen) + 1, max(lived.seen)))

    assert early.load_arrays("toy@production")["w"][0] == np.float32(lived.weights[1])
    assert late.load_arrays("toy@production")["w"][0] == np.float32(lived.weights[2])


def test_views_and_searches_are_of_the_same_past(lived: Lived) -> None:
    manager = lived.manager
    for seq in sorted(lived.seen)[1::6]:
        then = manager.as_of(seq)
        numbers = [int(each) for each in then.find("metric.f1 > 0.55")]
        found = [number for number, f1 in lived.seen[seq]["f1"].items() if f1 > 0.55]
        assert numbers == found, f"behind event {seq}"
        table: Any = then.sql("SELECT count(*) AS n FROM versions WHERE model = 'toy'")
        assert table.to_pylist() == [{"n": len(lived.seen[seq]["versions"])}]


def test_a_time_stands_for_the_last_event_recorded_by_then(lived: Lived) -> None:
    entries = [*lived.manager.log(model="toy")]
    middle = entries[len(entries) // 2]
    tomorrow, end = (datetime.now(UTC) + timedelta(days=1)).date(), lived.manager.position()

    for at in (middle.time, middle.time.isoformat()):
        assert middle.seq <= lived.manager.as_of(at).position() < end
    for at in (tomorrow, tomorrow.isoformat(), str(end), end):
        assert lived.manager.as_of(at).position() == end
    assert lived.manager.as_of("2001-02-03").position() == 0


@pytest.mark.parametrize(
    ("at", "words"),
    [(-1, "the ledger ends at event"), (10**6, "the ledger ends at event"), ("soon", "is no place in the log")],
)
def test_a_place_that_the_log_does_not_have_is_refused(lived: Lived, at: int | str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        lived.manager.as_of(at)


WRITES: dict[str, Callable[[ModelManager], object]] = {
    "save_version": lambda m: m.save_version({"w": np.ones(1)}, name="new"),
    "train": lambda m: m.train("credit", "x.csv", "y"),
    "run": lambda m: m.run("new"),
    "resume": lambda m: m.resume("nobody"),
    "alias": lambda m: m.alias("production", "toy@1"),
    "aliases": lambda m: m.aliases({"production": "toy@1"}),
    "delete_alias": lambda m: m.delete_alias("production"),
    "branch": lambda m: m.branch("b", "toy@1"),
    "tag": lambda m: m.tag("t", "toy@1"),
    "rollback": lambda m: m.rollback("toy@1"),
    "merge": lambda m: m.merge("toy@2"),
    "describe": lambda m: m.describe("toy", "x"),
    "add_data": lambda m: m.add_data("d", {"a": [1]}, [1]),
    "forget_actor": lambda m: m.forget_actor("nobody"),
    "sync": lambda m: m.sync(),
    "rebuild": lambda m: m.rebuild(),
    "jobs.cancel": lambda m: m.jobs.cancel("nobody"),
}


@pytest.mark.parametrize("write", sorted(WRITES))
def test_nothing_is_written_to_the_past(lived: Lived, write: str) -> None:
    end = lived.manager.position()

    with pytest.raises(Refused, match=r"as it was behind event|there is no job"):
        WRITES[write](lived.manager.as_of(3))
    assert lived.manager.position() == end


def test_the_past_is_no_further_off_than_it_was_asked_for(lived: Lived) -> None:
    then = lived.manager.as_of(6)

    assert then.as_of(3).position() == 3
    with pytest.raises(Malformed, match="the ledger ends at event 6"):
        then.as_of(7)
    assert pickle.loads(pickle.dumps(then)).position() == 6


def test_a_stale_write_is_told_by_the_last_move_that_readers_saw(lived: Lived) -> None:
    refs = lived.manager.as_of(max(lived.seen)).aliases(model="toy")

    assert LastMove(refs.last_moves["production"]).holds(refs.last)
