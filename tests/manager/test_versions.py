"""Versions through the SDK: save, load, apply, merge, roll back; real models, real packs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai import ModelManager, NotInPast, Refused, Stale, Version, register
from lepton_ai.errors import KeyReused


@pytest.fixture
def manager(home: Path) -> ModelManager:
    return ModelManager(home, actor="ada")


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 2))


@register("test-small")
class Small(nn.Linear):
    def __init__(self, width: int = 2) -> None:
        super().__init__(width, 1)


@register("mute")
class Mute(nn.Module):
    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))


def train(module: nn.Module, steps: int = 3, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        module(torch.randn(32, 8, generator=generator)).pow(2).mean().backward()
        optimiser.step()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    here = [record for record in caplog.records if record.thread == get_ident()]
    return [record.getMessage() for record in here if record.levelname == "WARNING"]


def bits(source: nn.Module | dict[str, torch.Tensor]) -> dict[str, bytes]:
    state = source.state_dict() if isinstance(source, nn.Module) else source
    return {name: tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() for name, tensor in state.items()}


def test_a_version_comes_back_exact_and_names_its_parent(manager: ModelManager) -> None:
    module = net()
    first = manager.save_version(module, name="net")
    kept = bits(module)
    train(module)
    second = manager.save_version(module, name="net", message="three steps more")

    assert (first, second) == (1, 2)
    assert isinstance(second, Version)
    assert second.parents == ((1, "fine_tuned"),)
    assert bits(manager.load_tensors(first)) == kept
    assert bits(manager.load_tensors(second)) == bits(module)
    assert bits(manager.load_version(first, into=net(9))) == kept


def test_saving_what_the_head_holds_makes_no_new_version(manager: ModelManager) -> None:
    module = net()
    first = manager.save_version(module, name="net")

    again = manager.save_version(module, name="net", tags=["good"], metrics={"f1": 0.5}, annotations={"ticket": "R-1"})

    assert again == first
    record = manager.show("net@good")
    assert record.version == first
    assert record.metrics == {"f1": 0.5}
    assert record.annotations == {"ticket": "R-1"}


def test_a_tag_in_use_refuses_a_save_before_a_byte_is_written(manager: ModelManager, home: Path) -> None:
    manager.save_version({"w": np.zeros(9)}, name="toy", tags=["good"])
    manager.save_version({"w": np.ones(9)}, name="toy")
    packs = sorted((home / "objects").rglob("*"))

    with pytest.raises(Refused, match=r"tag 'good' is on version 1 already; .* save without it, .* or use an alias"):
        manager.save_version({"w": np.arange(9.0)}, name="toy", tags=["good"])

    assert sorted((home / "objects").rglob("*")) == packs


def test_a_save_that_opens_a_model_beside_others_under_no_chosen_name_says_so(
    manager: ModelManager, caplog: pytest.LogCaptureFixture
) -> None:
    manager.save_version(net(), name="net")
    manager.save_version(net(), name="other")
    assert warnings(caplog) == []
    manager.archive("other")

    manager.save_version(net())
    manager.save_version(net(1))

    assert warnings(caplog) == ["sequential is a new model beside net, other; name= would keep it as one of theirs"]


def test_a_save_whose_parent_is_not_the_head_any_more_is_stale(manager: ModelManager, home: Path) -> None:
    ours, other = net(), ModelManager(home)
    manager.save_version(ours, name="net")
    theirs = other.load_version(1, into=net(5))
    train(theirs)
    other.save_version(theirs, name="net")
    train(ours, seed=1)

    with pytest.raises(
        Stale, match=r"branch 'main' is at 2, not at 1; load its head .* or save on a branch of its own"
    ):
        manager.save_version(ours, name="net")

    aside = manager.save_version(ours, name="net", branch="aside")
    assert aside.parents == ((1, "fine_tuned"),)
    assert manager.branches("net") == {"aside": 3, "main": 2}


def test_a_rollback_goes_anywhere_in_the_past_and_forwards_again(manager: ModelManager) -> None:
    module = net()
    saved = []
    for step in range(5):
        train(module, seed=step)
        manager.save_version(module, name="net")
        saved.append(bits(module))

    done = manager.rollback(2, reason="worse in production")

    assert (done.from_version, done.to_version, done.moved) == (5, 2, True)
    assert bits(manager.load_tensors("main")) == saved[1]
    assert bits(manager.load_tensors("main@{1}")) == saved[4]
    assert manager.rollback(4).to_version == 4
    assert bits(manager.load_tensors("main")) == saved[3]
    assert [entry.kind for entry in manager.log("main") if entry.kind == "rolled_back"] == ["rolled_back"] * 2


def test_a_rollback_to_where_the_branch_never_was_is_refused(manager: ModelManager) -> None:
    module = net()
    manager.save_version(module, name="net")
    train(module)
    manager.save_version(module, name="net", branch="other")
    end = manager.sql("SELECT max(seq) AS seq FROM events").to_pylist()

    with pytest.raises(NotInPast, match="branch 'main' never reached version 2"):
        manager.rollback(2)

    assert manager.sql("SELECT max(seq) AS seq FROM events").to_pylist() == end


def test_applying_replays_deltas_on_the_live_module(manager: ModelManager) -> None:
    module = net()
    manager.save_version(module, name="net")
    first = bits(module)
    train(module)
    manager.save_version(module, name="net")
    second, places = bits(module), {name: tensor.data_ptr() for name, tensor in module.state_dict().items()}

    back = manager.apply(1, module)
    assert len(back) == 1
    assert bits(module) == first
    forth = manager.apply(2, module)
    assert forth == back
    assert bits(module) == second
    assert {name: tensor.data_ptr() for name, tensor in module.state_dict().items()} == places


def test_applying_to_a_module_that_was_changed_by_hand_reads_the_version_whole(manager: ModelManager) -> None:
    module = net()
    manager.save_version(module, name="net")
    first = bits(module)
    train(module)
    manager.save_version(module, name="net")
    with torch.no_grad():
        module[0].weight[0, 0] += 1

    assert manager.apply(1, module) == ()
    assert bits(module) == first


def test_a_mapping_of_arrays_and_tensors_is_put_on_a_version_in_place(manager: ModelManager) -> None:
    live = {"a": np.arange(4.0), "t": torch.arange(3, dtype=torch.bfloat16)}
    array, tensor = live["a"], live["t"]
    manager.save_version(live, name="toy")
    array += 1
    tensor += 1
    manager.save_version(live, name="toy")

    assert manager.apply(1, live) == ()
    assert (array.tolist(), tensor.tolist()) == ([0, 1, 2, 3], [0, 1, 2])
    assert manager.load_version(2, into=live) is live
    assert (array.tolist(), tensor.tolist()) == ([1, 2, 3, 4], [1, 2, 3])


def test_a_module_that_cannot_judge_itself_is_said_to_be_one(manager: ModelManager) -> None:
    manager.save_version(Mute(), name="mute")
    manager.save_version(Mute(3), name="mute")

    for judge in (manager.evaluate, lambda *rows: manager.rollback(*rows[:1], rehearse=rows[1:])):
        with pytest.raises(Refused, match=r"mute cannot judge itself, .* predict\(data\), .* evaluate_predictions"):
            judge(1, [[0.0]], [0])


def test_a_module_with_a_forward_is_judged_by_what_it_answers(manager: ModelManager) -> None:
    module = Small()
    manager.save_version(module, name="small")
    rows = np.random.default_rng(3).normal(size=(50, 2))
    with torch.no_grad():
        positive = module(torch.from_numpy(rows).float())[:, 0].numpy() >= 0

    judged = manager.evaluate("small", rows, positive.astype(int), name="test", draws=20)

    assert judged.performance.figures()["accuracy"] == 1
    assert judged.report is not None
    assert manager.show("small").metrics["test/f1"] == 1


def test_branches_are_trained_apart_merged_rolled_back_and_their_aliases_moved(
    manager: ModelManager, caplog: pytest.LogCaptureFixture
) -> None:
    module = net()
    manager.save_version(module, name="net", message="base")
    left, right = manager.load_version(1, into=net(1)), manager.load_version(1, into=net(2))
    train(left, seed=1)
    train(right, seed=2)
    manager.save_version(left, name="net")
    manager.save_version(right, name="net", branch="right")
    manager.aliases({"production": "net@main", "shadow": "net@right"})

    merged = manager.merge("net@right", strategy="average")

    assert merged.parents == ((2, "merged"), (3, "merged"))
    mean = (left[0].weight.double() + right[0].weight.double()) / 2
    assert torch.equal(manager.load_tensors(merged)["0.weight"], mean.float())
    assert warnings(caplog) == []
    assert manager.merge("net@right", weight=0.9) == merged
    assert warnings(caplog) == ["version 3 is merged into 'main' already; strategy and weight count for nothing"]
    manager.alias("production", merged)
    manager.rollback(2, move_aliases=["production"])
    assert manager.aliases(model="net") == {"production": 2, "shadow": 3}
    manager.rollback(alias="production")
    assert manager.aliases(model="net") == {"production": 4, "shadow": 3}
    manager.rollback(merged)
    assert manager.branches("net") == {"main": 4, "right": 3}


@pytest.mark.parametrize(("strategy", "side"), [("ours", 0), ("theirs", 1)])
def test_a_merge_can_take_one_side_whole(manager: ModelManager, strategy: str, side: int) -> None:
    base = net()
    manager.save_version(base, name="net")
    sides = [manager.load_version(1, into=net(1)), manager.load_version(1, into=net(2))]
    for seed, (module, branch) in enumerate(zip(sides, ("main", "right"), strict=True)):
        train(module, seed=seed)
        manager.save_version(module, name="net", branch=branch)

    merged = manager.merge("right", strategy=strategy)  # type: ignore[arg-type]

    assert bits(manager.load_tensors(merged)) == bits(sides[side])


def test_a_home_moved_to_another_folder_is_the_same_home(manager: ModelManager, home: Path, tmp_path: Path) -> None:
    module = net()
    manager.save_version(module, name="net", files={"notes.txt": b"kept beside"})
    train(module)
    manager.save_version(module, name="net")
    kept = bits(module)
    manager.close()
    elsewhere = tmp_path / "else" / "where"
    elsewhere.parent.mkdir()
    shutil.move(home, elsewhere)

    with ModelManager(elsewhere) as moved:
        assert bits(moved.load_tensors(2)) == kept
        assert moved.files(1) == {"notes.txt": b"kept beside"}
        assert moved.fsck() == []
        assert moved.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 2}]
    raw = b"".join(path.read_bytes() for path in elsewhere.rglob("*") if path.is_file())
    assert str(home).encode() not in raw


def test_the_views_at_each_seq_are_what_they_were_then(manager: ModelManager) -> None:
    module = net()
    views = ("branches", "aliases", "tags", "versions", "metrics")
    then: dict[int, list[object]] = {}

    def remember() -> None:
        seq = manager.sql("SELECT max(seq) AS seq FROM events").to_pylist()[0]["seq"]
        then[seq] = [manager.sql(f"FROM {view} ORDER BY ALL").to_pylist() for view in views]

    for step in range(3):
        train(module, seed=step)
        manager.save_version(module, name="net", metrics={"f1": step / 10}, tags=[f"t{step}"])
        remember()
    manager.alias("production", 3)
    remember()
    manager.rollback(1, move_aliases=["production"])
    remember()
    manager.delete_tag("t0")
    remember()

    for seq, rows in then.items():
        assert [manager.sql(f"FROM {view} ORDER BY ALL", as_of=seq).to_pylist() for view in views] == rows


def test_an_unregistered_class_is_refused_with_the_remedy_and_its_tensors_are_there(manager: ModelManager) -> None:
    manager.save_version(net(), name="net")

    with pytest.raises(Refused, match=r"Sequential.*load_tensors"):
        manager.load_version(1)

    assert set(manager.load_tensors(1, ["0.weight"])) == {"0.weight"}
    assert isinstance(manager.load_version(1, into=net(3)), nn.Sequential)


def test_one_key_saves_once_and_other_content_under_it_is_refused(manager: ModelManager) -> None:
    module = net()
    first = manager.save_version(module, name="net", key="nightly-7")

    assert manager.save_version(module, name="net", key="nightly-7") == first
    train(module)
    with pytest.raises(KeyReused, match="nightly-7"):
        manager.save_version(module, name="net", key="nightly-7")
    assert len(manager.log(model="net")) == 1


CONFUSIONS: dict[str, Callable[[ModelManager, Version, Version], object]] = {
    "compare": lambda m, one, other: m.compare(one, other),
    "compare by words": lambda m, one, other: m.compare("one@1", "other@2"),
    "rollback": lambda m, one, other: m.rollback(other, model="one"),
    "rollback expected": lambda m, one, other: m.rollback(1, model="one", expected=other),
    "save expected": lambda m, one, other: m.save_version({"w": np.ones(2)}, name="one", expected=other),
    "aliases": lambda m, one, other: m.aliases({"p": one, "q": other}),
    "aliases of a model": lambda m, one, other: m.aliases({"q": other}, model="one"),
    "aliases expected": lambda m, one, other: m.aliases({"p": one}, expected={"p": other}),
    "alias expected": lambda m, one, other: m.alias("p", one, expected=other),
    "log": lambda m, one, other: m.log(other, model="one"),
}


@pytest.mark.parametrize("name", CONFUSIONS)
def test_a_version_is_never_taken_for_one_of_another_model(manager: ModelManager, name: str) -> None:
    for model in ("one", "other"):
        for number in range(2):
            manager.save_version({"w": np.full(2, number)}, name=model)
    one, other = manager.show("one@1").version, manager.show("other@2").version
    before = list(manager.events())

    with pytest.raises(Refused, match=r"is of model other, and what was asked is about one"):
        CONFUSIONS[name](manager, one, other)

    assert list(manager.events()) == before
    assert manager.diff(one, other).after.model == "other"
    assert [entry.version.model for entry in manager.log(other)] == ["other", "other"]


def test_expecting_nowhere_is_stale_where_a_branch_stands(manager: ModelManager) -> None:
    first = manager.save_version({"w": np.ones(2)}, name="toy", expected=0)

    assert first == 1
    with pytest.raises(Stale, match="branch 'main' is at 1, not at nowhere"):
        manager.save_version({"w": np.zeros(2)}, name="toy", expected=0)
    with pytest.raises(Stale, match="branch 'main' is at 1, not at nowhere"):
        manager.rollback(1, expected=0)


def test_threads_share_a_manager(manager: ModelManager) -> None:
    manager.save_version(net(), name="net")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            module = manager.load_version(1, into=net(number))
            train(module, seed=number)
            manager.save_version(module, name="net", branch=f"b{number}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(manager.branches("net").values()) == list(range(1, 10))


def test_mappings_of_arrays_and_tied_weights_come_back_as_they_were(manager: ModelManager) -> None:
    shared = torch.arange(6.0)
    manager.save_version({"a": shared, "b": shared, "c": np.array([[True, False]])}, name="bare")

    tensors = manager.load_tensors(1)

    assert tensors["a"] is tensors["b"]
    assert tensors["c"].dtype == torch.bool
    assert manager.load_arrays(1, ["c"])["c"].tolist() == [[True, False]]


def test_a_rollback_sent_twice_under_one_key_acts_once_and_answers_the_same(manager: ModelManager) -> None:
    module = net()
    for seed in range(3):
        train(module, seed=seed)
        manager.save_version(module, name="net")

    first = manager.rollback("main~1", expected=3, reason="worse", key="nightly")
    again = manager.rollback("main~1", expected=3, reason="worse", key="nightly")

    assert (first.from_version, first.to_version) == (again.from_version, again.to_version) == (3, 2)
    assert manager.branches("net") == {"main": 2}
    with pytest.raises(KeyReused):
        manager.rollback(1, key="nightly")


def test_a_merge_sent_twice_under_one_key_acts_once(manager: ModelManager) -> None:
    module = net()
    manager.save_version(module, name="net")
    for seed, branch in enumerate(("main", "right")):
        side = manager.load_version(1, into=net(1))
        train(side, seed=seed)
        manager.save_version(side, name="net", branch=branch)

    merged = manager.merge("net@right", key="once")

    assert manager.merge("net@right", key="once") == merged
    assert manager.branches("net") == {"main": 4, "right": 3}


def test_names_bound_twice_under_one_key_answer_the_same_whatever_happened_since(manager: ModelManager) -> None:
    def saved(number: int) -> Version:
        return manager.save_version({"w": np.full(2, number)}, name="toy")

    saved(1)

    def ask() -> list[object]:
        return [
            manager.alias("p", "main", expected=0, key="p"),
            manager.aliases({"q": "main", "r": "1"}, key="qr"),
            manager.tag("t", "main", key="t"),
            manager.branch("b", "main", key="b"),
            manager.annotate("main", {"n": 1}, key="n"),
            manager.record_metrics("main", {"f1": 0.5}, key="m"),
            manager.rollback("main", move_aliases=["z"], key="back"),
        ]

    manager.alias("z", saved(2))
    saved(3)
    first = ask()
    saved(4)
    manager.delete_alias("p")
    manager.alias("q", 4)
    manager.delete_tag("t")
    manager.delete_branch("b")
    before = list(manager.events())

    assert ask() == first
    assert first[:2] == [3, {"p": 3, "q": 3, "r": 1, "z": 2}]
    assert (first[-1].from_version, first[-1].to_version, first[-1].moved) == (3, 3, False)
    assert list(manager.events()) == before
    with pytest.raises(KeyReused):
        manager.tag("t", "3", key="t")
    with pytest.raises(KeyReused):
        manager.alias("p", "main", expected="main", key="p")


def test_a_merge_sent_again_after_the_branch_went_on_answers_the_same(manager: ModelManager) -> None:
    manager.save_version({"w": np.zeros(2)}, name="toy")
    manager.save_version({"w": np.ones(2)}, name="toy", branch="dev", parents=[1])
    manager.save_version({"w": np.full(2, 3.0)}, name="toy")
    merged = manager.merge("dev", key="once")
    manager.save_version({"w": np.full(2, 5.0)}, name="toy", expected="main", key="after")
    manager.save_version({"w": np.full(2, 7.0)}, name="toy", branch="dev")

    assert manager.merge("dev", key="once") == merged == 4
    assert manager.save_version({"w": np.full(2, 5.0)}, name="toy", expected="main", key="after") == 5
    for other in ({"strategy": "ours"}, {"into": "dev"}, {"message": "else"}):
        with pytest.raises(KeyReused):
            manager.merge("dev", key="once", **other)
    with pytest.raises(KeyReused):
        manager.merge("dev", key="after")
    assert len(manager.log(model="toy")) == 7


def test_many_tensors_of_long_names_are_kept_in_pages_that_an_event_holds(manager: ModelManager) -> None:
    names = [f"{'ü' * 500}.{number}" for number in range(600)]
    version = manager.save_version(dict.fromkeys(names, torch.ones(1)), name="wide")

    assert set(manager.load_tensors(version)) == set(names)
    told = [e["data"]["names"] for e in manager.events() if e["type"] == "lepton.manifest.written.v1"]
    assert sorted(name for page in told for name in page) == sorted(names)
    assert manager.sql("SELECT count(*) AS n FROM version_tensors").to_pylist() == [{"n": 600}]


def test_a_damaged_parent_stops_no_save_and_its_child_is_whole(manager: ModelManager, home: Path) -> None:
    module = net()
    manager.save_version(module, name="net")
    for pack in (path for path in (home / "objects").rglob("*") if path.is_file()):
        pack.unlink()
    train(module)

    with ModelManager(home) as again:
        version = again.save_version(module, name="net", parents=[1])
        assert bits(again.load_tensors(version)) == bits(module)
        assert again.show(version).keyframe
        assert any("missing" in str(damage) for damage in again.fsck(projection=False))
