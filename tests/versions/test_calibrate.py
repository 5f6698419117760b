"""A correction of probabilities is a version: the same bytes, the same calls, probabilities that can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai import ModelManager, register
from lepton_ai.errors import DataWarning, LeptonError, Refused
from lepton_ai.evaluation.measures import expected_calibration_error
from lepton_ai.models import CreditScoringModel, Model

GENERATOR = np.random.default_rng(8)
ROWS = GENERATOR.normal(size=(900, 2))
CHANCE = 1 / (1 + np.exp(-ROWS[:, 0]))
TRUTH = (GENERATOR.random(900) < CHANCE).astype(int)
THREE = np.array([GENERATOR.choice(3, p=p) for p in np.stack([CHANCE, (1 - CHANCE) / 2, (1 - CHANCE) / 2], axis=1)])


@register("four-times-too-sure")
class Sure(Model):
    """Its logits are four times too large."""

    TASK = "binary"

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(2, 1, bias=False, dtype=torch.float64)
        with torch.no_grad():
            self.module.weight.copy_(torch.tensor([[4.0, 0.0]]))

    def train(self, data: Any, labels: Any, **_: Any) -> Sure:
        return self

    def predict(self, data: Any) -> Any:
        return (self.predict_proba(data)[:, 1] >= 0.5).astype(int)

    def predict_proba(self, data: Any) -> Any:
        with torch.no_grad():
            positive = torch.sigmoid(self.trained()(torch.as_tensor(np.asarray(data))))[:, 0].numpy()
        return np.stack([1 - positive, positive], axis=1)


@register("too-sure-of-three")
class SureOfThree(Sure):
    TASK = "multiclass"
    classes_ = (0, 1, 2)

    def predict(self, data: Any) -> Any:
        return self.predict_proba(data).argmax(axis=1)

    def predict_proba(self, data: Any) -> Any:
        first = super().predict_proba(data)[:, 1]
        return np.stack([first, (1 - first) / 2, (1 - first) / 2], axis=1)


@register("calls-alone")
class Silent(Sure):
    predict_proba = None  # pyright: ignore[reportAssignmentType]


@pytest.fixture
def manager(home: Path) -> ModelManager:
    manager = ModelManager(home, actor="ada")
    manager.save_version(Sure(), name="net")
    return manager


def packs(manager: ModelManager) -> int:
    return sum(event["type"].startswith("lepton.pack.") for event in manager.events())


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_a_corrected_version_gives_probabilities_that_can_be_believed(manager: ModelManager, method: Any) -> None:
    before = packs(manager)

    made = manager.calibrate("net", ROWS[:450], TRUTH[:450], method=method, message="on May")

    record, model = manager.show(made), manager.load_version(made)
    raw, chances = (manager.load_version(rev).predict_proba(ROWS[450:])[:, 1] for rev in (1, made))
    errors = [expected_calibration_error(TRUTH[450:], each) for each in (raw, chances)]
    assert [(str(parent), role) for parent, role in made.parents] == [("1", "calibrated")]
    assert errors[1] < errors[0] / 2
    assert record.annotations["ece_after"] < record.annotations["ece_before"] / 2
    assert (model.predict(ROWS) == manager.load_version(1).predict(ROWS)).all()
    assert packs(manager) == before, "no byte is written again"
    assert manager.show(made).tensors == manager.show(1).tensors
    judged = manager.evaluate(made, ROWS[450:], TRUTH[450:], name="test").performance.figures()
    assert judged["ece"] == pytest.approx(errors[1])
    assert manager.predict(made, ROWS[450:])["probability_1"].to_numpy() == pytest.approx(chances)


def test_several_classes_have_a_temperature_too(manager: ModelManager) -> None:
    manager.save_version(SureOfThree(), name="three")

    made = manager.calibrate("three", ROWS, THREE)

    (correction,) = manager.show(made).settings["calibration"]
    model = manager.load_version(made)
    assert correction["temperature"] > 1.5
    assert model.predict_proba(ROWS).sum(axis=1) == pytest.approx(1)
    assert (model.predict(ROWS) == manager.load_version("three@1").predict(ROWS)).all()


def test_a_corrected_version_is_corrected_again_diffed_rolled_back_and_checked_out(
    manager: ModelManager, tmp_path: Path
) -> None:
    first = manager.calibrate("net", ROWS[:300], TRUTH[:300])
    second = manager.calibrate(first, ROWS[300:600], TRUTH[300:600], method="isotonic")
    manager.checkout(second, tmp_path / "out")
    chances = manager.load_version(second).predict_proba(ROWS)

    assert [each["method"] for each in manager.show(second).settings["calibration"]] == ["temperature", "isotonic"]
    assert "calibration" in manager.diff(first, second).settings
    assert not manager.diff(first, second).tensors
    manager.rollback(first)
    assert int(manager.show("main").version) == int(first)
    again = manager.save_version(manager.load_version(second), name="copy")
    assert (manager.load_version(again).predict_proba(ROWS) == chances).all()


def test_a_correction_ends_with_a_training_and_with_an_average(manager: ModelManager) -> None:
    made = manager.calibrate("net", ROWS, TRUTH)
    model = manager.load_version(made)
    manager.branch("other", 1)
    changed = manager.load_version(1)
    with torch.no_grad():
        changed.module.weight += 1
    manager.save_version(changed, name="net", branch="other")
    merged = manager.merge("other", into="main")

    model.train(ROWS, TRUTH)

    assert "calibration" not in model.settings
    assert "calibration" not in manager.show(merged).settings


def test_the_credit_models_threshold_moves_with_its_probabilities(manager: ModelManager) -> None:
    model = CreditScoringModel()
    for name, value in {"epochs": 3, "members": 1, "hidden": [4]}.items():
        model.add_hyperparameter(name, value)
    model.train(ROWS[:300], TRUTH[:300])
    own = manager.save_version(model, name="credit")
    with pytest.warns(DataWarning, match="learnt from these rows"):
        manager.calibrate(own, ROWS[:300], TRUTH[:300], branch="learnt")

    made = manager.calibrate(own, ROWS[300:600], TRUTH[300:600])

    corrected = manager.load_version(made)
    before, after = (each.evaluate(ROWS[600:], TRUTH[600:]) for each in (model, corrected))
    assert (corrected.predict(ROWS) == model.predict(ROWS)).all()
    assert (after.f1, after.roc_auc) == (before.f1, pytest.approx(before.roc_auc))
    assert after.brier != before.brier
    assert after.threshold is not None
    assert ((corrected.predict_proba(ROWS)[:, 1] >= after.threshold) == model.predict(ROWS)).all()


def test_models_that_share_a_process_are_corrected_each_by_its_own(manager: ModelManager) -> None:
    made = manager.calibrate("net", ROWS, TRUTH)

    class Pair(Sure):
        def predict_proba(self, data: Any) -> Any:
            return (one.predict_proba(data) + two.predict_proba(data)) / 2

    one, two = manager.load_version(1), manager.load_version(made)
    assert (Pair().predict_proba(ROWS) == (one.predict_proba(ROWS) + two.predict_proba(ROWS)) / 2).all()
    assert (one.predict_proba(ROWS) != two.predict_proba(ROWS)).any()


@pytest.mark.parametrize(
    ("kind", "rows", "labels", "asked", "sentence"),
    [
        (Sure, ROWS, TRUTH, {"method": "platt"}, "no correction 'platt'; it is temperature or isotonic"),
        (Sure, ROWS[:10], TRUTH[:10], {}, "10 rows are too few"),
        (Sure, ROWS, 0 * TRUTH, {}, "one class alone"),
        (Sure, ROWS, TRUTH[:5], {}, "5 labels for 900 rows"),
        (SureOfThree, ROWS, THREE, {"method": "isotonic"}, "use the method temperature for several"),
        (SureOfThree, ROWS, THREE + (ROWS[:, 1] > 1), {}, "of classes that the model has no probability of"),
        (Silent, ROWS, TRUTH, {}, "is no Lepton model that gives probabilities"),
    ],
    ids=["method", "few", "one-class", "unequal", "isotonic-of-three", "unseen-class", "no-probabilities"],
)
def test_what_cannot_be_corrected_is_told_in_one_sentence(
    manager: ModelManager, kind: type[Model], rows: Any, labels: Any, asked: dict[str, Any], sentence: str
) -> None:
    manager.save_version(kind(), name="other")

    with pytest.raises(LeptonError, match=sentence):
        manager.calibrate("other", rows, labels, **asked)

    assert len(manager.log(model="other")) == 1


def test_bare_tensors_and_a_setting_of_the_same_name_are_refused(manager: ModelManager) -> None:
    manager.save_version({"w": np.ones(3)}, name="bare")
    manager.save_version(Sure(), name="own", settings={"calibration": "by hand"})

    with pytest.raises(Refused, match="bare tensors"):
        manager.calibrate("bare", ROWS, TRUTH)
    with pytest.raises(LeptonError, match="rename it, for corrections are kept so"):
        manager.calibrate("own", ROWS, TRUTH)
    assert manager.load_version("own").predict_proba(ROWS).shape == (900, 2)
