"""What is held out: rows drawn by a seed, whole groups, or the latest; and the leaks that only the latter two show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai import ModelManager
from lepton_ai.datasets import split
from lepton_ai.datasets.splits.places import split_groups, split_time
from lepton_ai.datasets.tables import read_table
from lepton_ai.errors import Malformed
from lepton_ai.models import ImageModel, TableModel

Some = st.lists(st.integers(0, 12), min_size=2, max_size=60).filter(lambda values: len({*values}) > 1)
Share = st.floats(0.01, 0.89)


def column(values: Any) -> Any:
    return read_table({"by": values}).columns[0]


@given(values=Some, share=Share, seed=st.integers(0, 99))
def test_no_group_is_on_both_sides(values: list[int], share: float, seed: int) -> None:
    for groups in (values, [f"g{value}" for value in values]):
        learn, held = split_groups(column(groups), share, seed)

        assert sorted([*learn, *held]) == [*range(len(groups))]
        assert 0 < len(learn) < len(groups)
        assert not {groups[place] for place in learn} & {groups[place] for place in held}


@given(values=Some, share=Share)
def test_no_held_out_row_is_before_a_learnt_one(values: list[int], share: float) -> None:
    learn, held = split_time(column(values), share)

    assert sorted([*learn, *held]) == [*range(len(values))]
    assert 0 < len(learn) < len(values)
    assert max(values[place] for place in learn) < min(values[place] for place in held)


def test_the_share_is_met_as_nearly_as_groups_and_ties_allow() -> None:
    groups, times = np.repeat(np.arange(100), 10), np.repeat(np.arange(50), 20)

    assert len(split_groups(column(groups), 0.2, 3).held) == 200
    assert len(split_time(column(times), 0.205).held) == 200
    assert len(split_groups(column([0] * 90 + [1] * 10), 0.2, 0).held) == 10


BLOCKS, EACH = 40, 15


def leaking() -> tuple[dict[str, Any], npt.NDArray[np.int64]]:
    """Machines whose parts all fail or all hold, by chance: that a machine is known tells nothing of another.

    Machine after machine was at work, so the same holds of neighbouring days.
    """
    chance = np.random.default_rng(0)
    block = np.repeat(np.arange(BLOCKS), EACH)
    fails = np.concatenate([chance.permutation(2) for _ in range(BLOCKS // 2)])[block]  # half of any stretch
    known = {
        "machine": [f"machine {number}" for number in block],
        "noise": chance.normal(size=len(block)),
        "batch": block,
        "day": np.datetime64("2024-01-01") + block,
    }
    return known, fails


def small(**more: Any) -> TableModel:
    model = TableModel()
    for name, value in {"family": "mlp", "width": 32, "blocks": 1, "epochs": 12, "device": "cpu", **more}.items():
        model.add_hyperparameter(name, value)
    return model


def test_a_leak_within_groups_and_times_flatters_a_random_split_alone() -> None:
    rows, labels = leaking()
    only = {name: rows[name] for name in ("machine", "noise")}
    ways: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "random": (only, {}),
        "group": (only | {"batch": rows["batch"]}, {"split_groups": "batch"}),
        "time": (only | {"day": rows["day"]}, {"split_time": "day"}),
    }

    area = {way: small(**more).train(data, labels).metrics["roc_auc"] for way, (data, more) in ways.items()}

    assert area["random"] > 0.95
    assert area["group"] < 0.75
    assert area["time"] < 0.75


def test_the_column_is_no_feature_at_any_door(home: Path, tmp_path: Path) -> None:
    rows, labels = leaking()
    path = tmp_path / "parts.parquet"
    pa.parquet.write_table(pa.table(rows | {"fails": labels}), path)
    with ModelManager(home) as manager:
        made = manager.train(small(split_groups="batch", epochs=2), path, "fails", name="parts", drop=["day"])
        loaded: Any = manager.load_version(made)
        manager.evaluate(made, path, "fails", draws=0)
        judged = {name: rows[name] for name in ("noise", "machine", "batch")}

        assert [each["name"] for each in loaded.data["columns"]] == ["machine", "noise"]
        assert len(loaded.predict(judged)) == len(labels)
        assert np.array_equal(loaded.predict(judged), manager.predict(made, path).column("prediction").to_numpy())


def test_pictures_are_split_by_a_column_beside_them() -> None:
    chance = np.random.default_rng(0)
    rows = {"scan": [*chance.normal(size=(40, 8, 8)).astype(np.float32)], "patient": np.repeat(np.arange(8), 5)}
    model = ImageModel()
    for name, value in {"split_groups": "patient", "epochs": 1, "width": 8, "blocks": 1, "device": "cpu"}.items():
        model.add_hyperparameter(name, value)

    model.train(rows, np.arange(40) % 2)

    assert model.validation is not None
    assert model.validation["rows"] % 5 == 0
    assert len(model.predict(rows["scan"])) == 40


@pytest.mark.parametrize(
    ("more", "rows", "sentence"),
    [
        ({"split_groups": "bach"}, {}, "the data has no column 'bach' to split the rows by"),
        ({"split_time": "machine"}, {}, "column 'machine' holds text, which no order in time follows from"),
        ({"split_groups": "batch"}, {"batch": [None] * 10 + [1] * 590}, "10 rows have no group in column 'batch'"),
        ({"split_time": "batch"}, {"batch": [3] * 600}, "column 'batch' has one value in all rows"),
        ({"split_groups": "batch"}, {"batch": [3] * 600}, "column 'batch' has one value in all rows"),
    ],
)
def test_rows_that_cannot_be_split_so_are_refused(more: dict[str, Any], rows: dict[str, Any], sentence: str) -> None:
    data, labels = leaking()

    with pytest.raises(Malformed, match=sentence):
        small(**more).train(data | rows, labels)


def test_one_way_to_split_is_chosen() -> None:
    with pytest.raises(Malformed, match="split_groups and split_time exclude each other"):
        small(split_groups="a", split_time="b").check_hyperparameters()
    with pytest.raises(Malformed, match="by groups or by time; give one"):
        split({"x": [1, 2], "y": [0, 1]}, "y", groups="x", time="x")


def test_rows_are_split_for_whoever_judges_by_himself(tmp_path: Path) -> None:
    rows, labels = leaking()
    table = pa.table(rows | {"fails": labels})
    pa.parquet.write_table(table, tmp_path / "parts.parquet")

    by_time = split(tmp_path / "parts.parquet", "fails", time="day")
    by_group, by_seed = split(rows, labels, groups="batch", seed=1), split(table, "fails", held_out=0.5)

    assert by_time.held.data.column_names == ["machine", "noise", "batch"]
    assert min(rows["day"][by_time.places.held]) > max(rows["day"][by_time.places.learn])
    assert by_time.held.labels.to_pylist() == labels[by_time.places.held].tolist()
    assert not {*rows["batch"][by_group.places.held]} & {*rows["batch"][by_group.places.learn]}
    assert len(by_seed.held.labels) == by_seed.held.data.num_rows == 300
    assert abs(np.mean(by_seed.held.labels.to_numpy()) - np.mean(labels)) < 0.01
    pictures = split(np.zeros((10, 4, 4)), np.arange(10) % 2)
    assert (pictures.learn.data.num_rows, pictures.held.data.num_rows) == (8, 2)
