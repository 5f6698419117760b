"""Pictures and windows of series: arrays of one shape, by whatever holds them, and the families of nets over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.building.images.model import ImageModel
from lepton_ai.building.images.pictures import VariedPictures
from lepton_ai.building.series.model import SeriesModel
from lepton_ai.building.series.nets import TemporalConvolutions
from lepton_ai.datasets.tables import fingerprint
from lepton_ai.errors import Malformed, Refused

from .cut import check_cut_off

IMAGES = ("cnn", "resnet", "vit", "timm:test_resnet")
SERIES = ("tcn", "lstm", "patch-transformer")
Floats = npt.NDArray[np.float32]


def pictures(count: int = 45) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Noise, brighter in a corner or in the middle by its class of three."""
    draws = np.random.default_rng(0)
    values, labels = draws.normal(size=(count, 12, 12)).astype(np.float32), np.arange(count) % 3
    values[labels == 1, :4, :4] += 3
    values[labels == 2, 5:9, 5:9] += 3
    return values, labels


def windows(count: int = 45) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Random walks of two channels, and how far the first went."""
    steps = np.random.default_rng(1).normal(size=(count, 20, 2)).astype(np.float32)
    return steps.cumsum(axis=1), steps[:, :, 0].sum(axis=1).astype(np.float64)


def small(family: str, **more: Any) -> ImageModel | SeriesModel:
    model = ImageModel() if family in IMAGES else SeriesModel()
    chosen = {"family": family, "width": 8, "blocks": 1, "epochs": 3, "batch_size": 16, "device": "cpu"} | more
    for name, value in chosen.items():
        model.add_hyperparameter(name, value)
    return model


def rows_of(family: str) -> tuple[Any, Any]:
    return pictures() if family in IMAGES else windows()


@pytest.mark.parametrize("family", [*IMAGES, *SERIES])
def test_a_training_that_was_cut_off_makes_the_same_bits(family: str) -> None:
    more = {"augment": "flip"} if family in IMAGES else {}
    check_cut_off(lambda: small(family, **more), *rows_of(family))


@pytest.mark.parametrize("family", ["cnn", "lstm"])
def test_a_version_is_loaded_evaluated_and_rolled_back_as_any_other(home: Path, family: str) -> None:
    data, labels = rows_of(family)
    with ModelManager(home) as manager:
        first = manager.train(small(family), data, labels, name="net")
        manager.train(small(family, seed=1), data, labels, name="net")
        manager.evaluate(first, data, labels, name="again")
        loaded = manager.load_version(first)
        manager.rollback(1, model="net", reason="to see")

        assert np.array_equal(loaded.predict(data), manager.load_version("net@main").predict(data))
        assert loaded.data["columns"][0]["type"] == "array"


@pytest.mark.parametrize("family", ["cnn", "tcn"])
def test_named_rows_of_arrays_are_kept_trained_on_and_judged(home: Path, family: str) -> None:
    data, labels = rows_of(family)
    with ModelManager(home) as manager:
        manager.add_data("rows", data, labels, keep=True)
        chosen = {"epochs": 1, "width": 8, "blocks": 1, "family": family}
        trained = manager.jobs.wait(
            manager.jobs.train(small(family).name, "rows", name="net", hyperparameters=chosen).job
        )
        judged = manager.jobs.wait(manager.jobs.evaluate("net@1", "rows", name="again").job)

        assert (trained.status, judged.status) == ("finished", "finished")
        assert judged.figures
        assert manager.load_version("net@1").data["columns"][0]["type"] == "array"


def test_pictures_are_the_same_whatever_holds_them() -> None:
    data, labels = pictures()
    model = small("cnn").train(data, labels)
    said = model.predict(data)
    tensor = pa.FixedShapeTensorArray.from_numpy_ndarray(data)

    for other in (torch.from_numpy(data), list(data), {"0": data}, pa.table({"0": tensor}), {"0": list(data)}):
        assert fingerprint(other, labels) == model.data
        assert np.array_equal(model.predict(other), said)
    last, first = np.repeat(data[..., None], 3, 3), np.repeat(data[:, None], 3, 1)
    coloured = small("cnn", epochs=1).train(last, labels)
    assert np.array_equal(coloured.predict(last), coloured.predict(first))


def test_what_is_learnt_from_is_varied_and_what_is_judged_is_not() -> None:
    data = torch.arange(2 * 16 * 16, dtype=torch.float32).view(2, 1, 16, 16)
    for how in ("shift", "flip"):
        examples = VariedPictures((data,), torch.zeros(2), how)
        torch.manual_seed(0)
        learnt = torch.cat([examples.batch(torch.tensor([0]), learning=True).inputs[0] for _ in range(20)])

        assert torch.equal(examples.batch(torch.tensor([0, 1]), learning=False).inputs[0], data)
        assert len({each.numpy().tobytes() for each in learnt}) > 5
        assert {*learnt[:, 0, 8, 8].tolist()} <= {*data[0].flatten().tolist()}
        rising = (learnt[:, 0, 8, 4:12].diff(dim=1) > 0).all(dim=1)
        assert bool(rising.all()) == (how == "shift")


def test_a_temporal_convolution_sees_nothing_later() -> None:
    net = TemporalConvolutions({"width": 8, "blocks": 3, "dropout_rate": 0.0}, 1).eval()
    torch.manual_seed(0)
    window = torch.randn(1, 1, 32)
    changed = window.clone()
    changed[..., 20:] += 1
    with torch.no_grad():
        layers = [(net.embed(window), net.embed(changed))]
        for block in net.blocks:
            layers.append(tuple(block(each) for each in layers[-1]))  # pyright: ignore[reportArgumentType]

    assert all(torch.equal(one[..., :20], other[..., :20]) for one, other in layers)


@pytest.mark.parametrize(
    ("model", "data", "fault"),
    [
        ("cnn", np.zeros((4, 3)), "3 columns (number) where pictures belong"),
        ("cnn", {"x": ["a", "b", "c", "d"]}, "1 columns (category) where pictures belong"),
        ("cnn", np.zeros((4, 8, 8, 8)), "8 × 8 × 8, which is no picture"),
        ("cnn", np.full((4, 8, 8), np.nan), "gaps or infinities"),
        ("cnn", np.full((4, 8, 8), np.inf), "gaps or infinities"),
        ("cnn", [np.zeros((8, 8)), np.zeros((8, 9))] * 2, "no common shape"),
        ("cnn", np.zeros((4, 0, 8)), "at least one number"),
        ("cnn", np.full((4, 2, 2), "a"), "arrays of"),
        ("tcn", np.zeros((4, 2, 2, 2)), "3 dimensions"),
        ("tcn", pa.table({"x": pa.array([[1.0], [1.0, 2.0], [3.0], [4.0]])}), "1 to 2 numbers"),
        ("tcn", pa.table({"x": pa.array([[1.0, None]] * 4)}), "gaps"),
        (
            "tcn",
            pa.table({"x": pa.array([[1.0, 2.0], None, [1.0, 2.0], [3.0, 4.0]])}),
            "1 rows of column 'x' have no array",
        ),
    ],
)
def test_what_is_no_such_array_is_refused(model: str, data: Any, fault: str) -> None:
    with pytest.raises(Malformed) as caught:
        small(model).train(data, [0, 1, 0, 1])
    assert fault in str(caught.value)


def test_other_shapes_than_were_learnt_and_nets_that_are_not_there_are_refused() -> None:
    data, labels = pictures()
    model = small("cnn").train(data, labels)
    with pytest.raises(Malformed, match="pictures have the shape 1 × 6 × 12 where 1 × 12 × 12 was learnt"):
        model.predict(data[:, :6])
    with pytest.raises(Refused, match="timm has no model 'resnet10x'"):
        ImageModel().add_hyperparameter("family", "timm:resnet10x").train(data, labels)
    with pytest.raises(Malformed, match="family"):
        ImageModel().add_hyperparameter("family", "resnet10t")
    from lepton_ai.models import CreditScoringModel

    with pytest.raises(Malformed, match="column '0' holds arrays"):
        CreditScoringModel().train(data, labels % 2)


@pytest.mark.parametrize("held", ["tensors", "lists"])
def test_arrays_in_a_file_are_the_rows_that_they_are_in_memory(home: Path, tmp_path: Path, held: str) -> None:
    data, labels = pictures()
    flat = data.reshape(len(data), -1)
    column = pa.FixedShapeTensorArray.from_numpy_ndarray(data) if held == "tensors" else pa.array(flat.tolist())
    parquet.write_table(pa.table({"pixels": column, "kind": labels}), tmp_path / "rows.parquet")
    with ModelManager(home) as manager:
        named = manager.add_data("rows", str(tmp_path / "rows.parquet"), "kind", keep=True)
        again, known = manager.load_data("rows")

        assert named.digest == fingerprint({"pixels": data if held == "tensors" else flat}, labels)["digest"]
        assert fingerprint(again, known)["digest"] == named.digest
        other = manager.add_data("others", {"pixels": data[::-1] if held == "tensors" else flat[::-1]}, labels)
        assert other.digest != named.digest
        assert manager.drift("rows", "others").drifted == ()
