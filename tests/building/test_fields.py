"""Masks, forecasts, and the fields' models: what each does that its family does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from lepton_ai import ModelManager
from lepton_ai.building.images.pictures import varied
from lepton_ai.building.images.segmentation import MaskedPictures
from lepton_ai.building.images.unet import UNet
from lepton_ai.building.series.forecasting import NextValue
from lepton_ai.building.series.hyperparameters import ForecastHyperparameters
from lepton_ai.datasets.windows import windows
from lepton_ai.errors import Malformed
from lepton_ai.evaluation.binary import threshold_of_sensitivity
from lepton_ai.models import (
    DiagnosisModel,
    ForecastModel,
    ImageDiagnosisModel,
    IntentModel,
    MaintenanceModel,
    QualityInspectionModel,
    RiskModel,
    SegmentationModel,
    SentimentModel,
)
from lepton_ai.results import ForecastPerformance, SegmentationPerformance

from .cut import check_cut_off
from .encoders import small_encoder

Arrays = npt.NDArray[Any]
NARROW = np.arange(192).reshape(4, 8, 6) % 2


def blobs(count: int = 30) -> tuple[Arrays, Arrays]:
    """Pictures with a bright square each, and where it is."""
    draws = np.random.default_rng(2)
    pictures, masks = draws.normal(size=(count, 18, 22)).astype(np.float32), np.zeros((count, 18, 22), np.uint8)
    for place, (row, column) in enumerate(draws.integers(0, 10, (count, 2))):
        masks[place, row : row + 7, column : column + 7] = 3
    return pictures + 2 * (masks > 0), masks


def masking(**more: Any) -> SegmentationModel:
    model = SegmentationModel()
    for name, value in ({"width": 8, "blocks": 2, "epochs": 3, "batch_size": 8, "device": "cpu"} | more).items():
        model.add_hyperparameter(name, value)
    return model


def forecasting(**more: Any) -> ForecastModel:
    model = ForecastModel()
    for name, value in ({"width": 8, "epochs": 3, "device": "cpu"} | more).items():
        model.add_hyperparameter(name, value)
    return model


def waves(count: int = 240) -> Arrays:
    """A series of two channels that rises and swings."""
    time = np.arange(count)
    noise = np.random.default_rng(3).normal(0, 0.1, (count, 2))
    return np.stack([0.05 * time + np.sin(time / 3), np.cos(time / 3)], axis=1) + noise


def test_masks_and_forecasts_that_were_cut_off_make_the_same_bits() -> None:
    check_cut_off(lambda: masking(augment="flip"), *blobs())
    check_cut_off(forecasting, *windows(waves(), 12))


def test_what_is_where_in_a_picture_is_learnt(home: Path) -> None:
    pictures, masks = blobs(60)
    with ModelManager(home) as manager:
        version = manager.train(
            masking(epochs=20, learning_rate=0.01), pictures[:40], masks[:40].astype(np.int64), name="square"
        )
        kept = manager.evaluate(version, pictures[40:], masks[40:], name="test")
        loaded = manager.load_version(version)

        said = loaded.predict(pictures[40:])
        assert {*np.unique(said)} == {0, 3}
        assert said.shape == (20, 18, 22)
        judged = loaded.evaluate(pictures[40:], masks[40:])
        assert isinstance(judged, SegmentationPerformance)
        assert judged.pixel_dice is not None
        assert judged.pixel_dice > 0.8
        assert kept.performance.pixel_dice == judged.pixel_dice
        assert (loaded.TASK, loaded.settings["task"]) == ("segmentation", "segmentation")


def test_masks_lie_in_a_file_beside_their_pictures(home: Path, tmp_path: Path) -> None:
    columns = {
        name: pa.FixedShapeTensorArray.from_numpy_ndarray(each) for name, each in zip("xy", blobs(), strict=True)
    }
    parquet.write_table(pa.table(columns), tmp_path / "squares.parquet")
    with ModelManager(home) as manager:
        manager.add_data("squares", str(tmp_path / "squares.parquet"), "y", keep=True)
        chosen = {"width": 4, "blocks": 1, "epochs": 1}
        done = manager.jobs.wait(
            manager.jobs.train("segmentation-model", "squares", name="square", hyperparameters=chosen).job
        )
        judged = manager.jobs.wait(manager.jobs.evaluate("square@1", "squares", name="again").job)

        assert (done.status, judged.status) == ("finished", "finished"), (done.reason, judged.reason)
        assert judged.figures is not None
        assert "dice" in judged.figures


def test_pictures_and_masks_are_moved_together() -> None:
    pictures, masks = (torch.from_numpy(each) for each in blobs())
    clean = (masks > 0).float()[:, None]
    examples = MaskedPictures((clean,), masks.long(), "flip")
    torch.manual_seed(0)
    both = [examples.batch(torch.arange(30), learning=True) for _ in range(5)]

    assert all(torch.equal(each.inputs[0][:, 0] > 0, each.targets > 0) for each in both)
    assert any(not torch.equal(each.targets, masks.long()) for each in both)
    assert torch.equal(examples.batch(torch.arange(30), learning=False).targets, masks.long())
    assert varied(pictures[:, None], "shift").shape == (30, 1, 18, 22)


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))
def test_every_pixel_of_a_picture_of_any_size_has_its_class(blocks: int, height: int, width: int) -> None:
    net = UNet({"width": 4, "blocks": blocks, "dropout_rate": 0.0}, 2, 3).eval()
    with torch.no_grad():
        assert net(torch.randn(1, 2, height, width)).shape == (1, 3, height, width)


def test_a_forecast_begins_as_what_was_last_and_holds_at_any_level() -> None:
    shape = ForecastHyperparameters(width=8).model_dump()
    net = NextValue(shape, 2, 12).eval()
    torch.manual_seed(0)
    series = torch.randn(5, 2, 12).cumsum(dim=2)
    with torch.no_grad():
        assert torch.equal(net(series)[:, 0], series[:, 0, -1])
        torch.nn.init.normal_(net.change.head.weight)
        moved = net(4 * series + 100)
        assert torch.allclose(moved[:, 0], 4 * net(series)[:, 0] + 100, atol=1e-3)
        assert torch.allclose(moved[:, 1], 4 * net(series)[:, 1], rtol=1e-4)


def test_what_comes_next_is_learnt_with_an_interval_around_it(home: Path) -> None:
    past, came = windows(waves(900), 16)
    with ModelManager(home) as manager:
        version = manager.train(forecasting(epochs=40, learning_rate=0.01), past[:700], came[:700], name="wave")
        kept = manager.evaluate(version, past[700:], came[700:], name="test")
        loaded = manager.load_version(version)

        judged = loaded.evaluate(past[700:], came[700:])
        assert isinstance(judged, ForecastPerformance)
        assert kept.performance.rmse == judged.rmse
        assert judged.rmse < 0.7 * float(np.sqrt(np.mean((past[700:, -1, 0] - came[700:]) ** 2)))
        assert judged.coverage is not None
        assert 0.85 < judged.coverage <= 1
        ends = loaded.predict_interval(past[700:])
        assert (ends[:, 0] < loaded.predict(past[700:])).all()
        assert (loaded.predict(past[700:]) < ends[:, 1]).all()
        assert loaded.validation["rows"] == 140  # the latest fifth


@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_a_window_is_what_was_before_the_value_that_came(
    count: int, length: int, ahead: int, step: int, channels: int
) -> None:
    series = np.arange(count * channels, dtype=np.float64).reshape(count, channels)
    if count < length + ahead:
        with pytest.raises(Malformed, match="too few for a window"):
            windows(series, length, ahead=ahead, step=step)
        return
    past, came = windows(series, length, ahead=ahead, step=step)
    assert past.shape == (-(-(count - length - ahead + 1) // step), length, channels)
    for place, (window, value) in enumerate(zip(past, came, strict=True)):
        assert np.array_equal(window, series[place * step : place * step + length])
        assert value == series[place * step + length + ahead - 1, 0]


@example([(True, n / 20) for n in range(20)], 0.55)  # 0.55 * 20 is more than 11 by a rounding
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=30), st.floats(0.01, 1))
def test_a_threshold_finds_the_share_of_cases_and_none_that_is_higher_does(
    rows: list[tuple[bool, float]], share: float
) -> None:
    truth, chances = np.array([case for case, _ in rows], float), np.array([chance for _, chance in rows])
    threshold = threshold_of_sensitivity(truth, chances, share)
    cases = np.sort(chances[truth == 1])
    if not len(cases):
        assert threshold == 0.5
        return
    assert (cases >= threshold).mean() >= share
    higher = cases[cases > threshold].min(initial=np.inf)
    assert np.isinf(higher) or (cases > higher).mean() < share


@pytest.mark.parametrize("kind", [DiagnosisModel, ImageDiagnosisModel])
def test_a_diagnosis_finds_the_cases_that_it_is_asked_to(kind: Any) -> None:
    draws = np.random.default_rng(4)
    ill = (np.arange(200) % 5 == 0).astype(np.int64)
    shape = (200, 3) if kind is DiagnosisModel else (200, 8, 8)
    data = (draws.normal(size=shape) + 0.7 * ill.reshape(-1, *(1 for _ in shape[1:]))).astype(np.float32)
    found = {}
    for sensitivity in (1.0, 0.5, None):
        model = kind()
        for name, value in {"sensitivity": sensitivity, "epochs": 3, "width": 8, "blocks": 1}.items():
            model.add_hyperparameter(name, value)
        model.train(data, ill, validation=(data, ill))
        found[sensitivity] = model.evaluate(data, ill).recall
    assert found[1.0] == 1.0
    assert 0.5 <= found[0.5] <= found[1.0]
    assert model.add_hyperparameter("threshold", 0.9).train(data, ill).trained().threshold.item() == 0.9


def test_each_field_has_its_models_under_the_names_that_are_looked_for(tmp_path: Path) -> None:
    draws = np.random.default_rng(5)
    yes = np.arange(40) % 2
    encoder = str(small_encoder(tmp_path / "encoder"))
    texts = ["my card is late" if each else "i want a loan please" for each in yes]
    tried: dict[Any, tuple[Any, Any]] = {
        RiskModel: ({"income": draws.normal(size=40) + yes}, yes),
        QualityInspectionModel: (draws.normal(size=(40, 8, 8)) + yes[:, None, None], np.where(yes, "crack", "sound")),
        MaintenanceModel: (draws.normal(size=(40, 12, 2)), draws.normal(size=40)),
        IntentModel: (texts, np.where(yes, "card", "loan")),
        SentimentModel: (texts, yes),
    }
    tasks = {}
    for kind, (data, labels) in tried.items():
        model = kind().add_hyperparameter("epochs", 1)
        if issubclass(kind, IntentModel | SentimentModel):
            model.add_hyperparameter("encoder", encoder)
        model.train(data, labels)
        tasks[model.name] = model.TASK
    assert tasks == {
        "risk-model": "binary",
        "quality-inspection-model": "multiclass",
        "maintenance-model": "regression",
        "intent-model": "multiclass",
        "sentiment-model": "binary",
    }


@pytest.mark.parametrize(
    ("model", "data", "labels", "fault"),
    [
        (masking(), np.zeros((4, 8, 8)), [0, 1, 0, 1], "the labels are no masks"),
        (masking(), np.zeros((4, 8, 8)), np.zeros((4, 8, 8)), "all pixels of the masks are of one class"),
        (masking(), np.zeros((4, 8, 8)), np.full((4, 8, 8), 0.5), "masks hold fractions"),
        (
            masking(),
            np.zeros((4, 8, 8)),
            np.arange(192).reshape(4, 8, 6) % 2,
            "masks are of 8 × 6 pixels and pictures of 8 × 8",
        ),
        (masking(), np.zeros((4, 8, 8)), np.ones((3, 8, 8)), "3 labels for 4 rows"),
        (forecasting(), np.zeros((4, 1, 1)), [0.0, 1, 2, 3], "a window of one step"),
        (forecasting(), np.zeros((4, 5, 1)), ["a", "b", "c", "d"], "text where a number"),
        (forecasting(), np.zeros((4, 5, 1)), [1.0] * 4, "all labels are the same"),
        (DiagnosisModel(), {"x": [1.0, 2.0, 3.0, 4.0]}, np.ones((4, 8, 8)), "masks are for segmentation-model"),
    ],
)
def test_labels_that_are_not_what_is_predicted_are_refused(model: Any, data: Any, labels: Any, fault: str) -> None:
    with pytest.raises(Malformed) as refused:
        model.train(data, labels)
    assert fault in str(refused.value)


def test_a_class_that_no_mask_had_is_refused_when_it_is_judged() -> None:
    pictures, masks = blobs()
    model = masking(epochs=1).train(pictures, masks)
    with pytest.raises(Malformed, match="none of the 2 classes"):
        model.evaluate(pictures, masks + 1)
    with pytest.raises(Malformed, match="pictures have the shape"):
        model.predict(pictures[:, 1:])


@pytest.mark.parametrize(
    ("series", "named", "fault"),
    [
        (np.zeros((3, 3, 3)), {}, r"a series has the shape \(3, 3, 3\)"),
        ([1.0, None, 2.0], {}, "1 values of the series are missing"),
        ([1.0, 2.0, 3.0], {"length": 0}, "at least 1"),
        ([1.0, 2.0, 3.0], {"ahead": 9}, "3 values are too few for a window of 2 and one 9 behind it"),
    ],
)
def test_a_series_that_cannot_be_cut_is_refused(series: Any, named: dict[str, int], fault: str) -> None:
    with pytest.raises(Malformed, match=fault):
        windows(series, **({"length": 2} | named))
