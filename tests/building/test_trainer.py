"""One loop for all families: what it makes is the same however often it was cut off, and however batches are cut."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lepton_ai.building.examples import TensorExamples, batches
from lepton_ai.building.objective import balanced, binary, huber, multiclass, squared
from lepton_ai.building.plan import TrainingPlan
from lepton_ai.building.tables.model import TableModel
from lepton_ai.building.trainer import Trainer
from lepton_ai.datasets.splits.places import split_rows
from lepton_ai.errors import Malformed, Refused
from lepton_ai.models.registry import architecture_of, build

from .cut import CutOff, Cuts, check_cut_off

FAMILIES = ("mlp", "resnet", "ft-transformer", "tabm")


def rows(count: int = 90, seed: int = 0) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """Numbers, some of them missing, and a category, which decide a label of 0 or 1."""
    draws = np.random.default_rng(seed)
    income, debt = draws.normal(size=count), draws.normal(size=count)
    home = draws.choice(["own", "rent", "free"], count)
    labels = (income - debt + (home == "own") + 0.3 * draws.normal(size=count) > 0).astype(np.int64)
    income[::11] = np.nan
    return {"income": income, "debt": debt, "home": home}, labels


def small(family: str, **more: Any) -> TableModel:
    model = TableModel()
    for name, value in ({"family": family, "width": 16, "members": 4, "epochs": 3, "batch_size": 16} | more).items():
        model.add_hyperparameter(name, value)
    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_that_was_cut_off_makes_the_same_bits(family: str) -> None:
    check_cut_off(lambda: small(family, dropout_rate=0.3), *rows())


KINDS_ALONE = {
    "numbers": {"a": np.linspace(0, 1, 90), "b": np.arange(90.0) % 7},
    "numbers of one value": {"a": np.zeros(90), "b": np.ones(90)},
    "numbers that are missing": {"a": np.where(np.arange(90) % 9, np.nan, 1.0)},
    "categories": {"a": [["x", "y", None][n % 3] for n in range(90)], "b": ["u", "v"] * 45},
    "a category of one level": {"a": ["x"] * 90},
    "dates": {"a": np.datetime64("2026-01-01", "s") + np.arange(90) * 86_400},
    "booleans": {"a": [True, False, None] * 30},
}


@pytest.mark.parametrize("kind", KINDS_ALONE)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_of_one_kind_of_column_is_learnt_and_loaded(family: str, kind: str) -> None:
    data = KINDS_ALONE[kind]
    model = small(family, epochs=1).train(data, np.arange(90) % 2)

    loaded = build(architecture_of(model))
    loaded.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(loaded.predict_proba(data), model.predict_proba(data))


def test_a_checkpoint_of_another_training_is_refused() -> None:
    cuts = Cuts([2])
    with pytest.raises(CutOff):
        small("mlp").train(*rows(), progress=cuts)
    with pytest.raises(Refused, match="the checkpoint is of another training"):
        small("mlp", width=24).train(*rows(), progress=cuts)


def test_the_caller_keeps_its_random_state_and_a_failed_fit_leaves_the_model() -> None:
    model = small("mlp").train(*rows())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()

    def stop(epoch: int, figures: Any) -> None:
        raise CutOff

    with pytest.raises(CutOff):
        model.train(*rows(seed=1), on_epoch=stop)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("batch_size", "accumulate"), [(40, 1), (20, 2), (10, 4)])
def test_accumulated_batches_make_the_step_of_one(batch_size: int, accumulate: int) -> None:
    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(80, 5, generator=draws)
    examples = TensorExamples((inputs,), inputs @ torch.randn(5, generator=draws))

    def fitted(plan: TrainingPlan) -> torch.Tensor:
        torch.manual_seed(1)
        module = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
        Trainer(plan).fit(module, examples, examples, squared)
        return torch.cat([each.detach().flatten() for each in module.parameters()])

    plain = {"epochs": 5, "learning_rate": 0.01, "device": "cpu"}
    whole = fitted(TrainingPlan(batch_size=40, accumulate=1, **plain))
    parts = fitted(TrainingPlan(batch_size=batch_size, accumulate=accumulate, **plain))
    assert torch.allclose(whole, parts, rtol=1e-4, atol=1e-6)


def one_weight() -> nn.Module:
    """A line through the origin."""
    return nn.Sequential(nn.Linear(1, 1, bias=False), nn.Flatten(0))


def test_a_fit_without_a_finite_loss_is_refused_and_one_that_stands_still_stops() -> None:
    examples = TensorExamples((torch.ones(8, 1),), torch.full((8,), 1e38))
    with pytest.raises(Refused, match="the fit diverged in epoch 1"):
        Trainer(TrainingPlan(device="cpu")).fit(
            nn.Sequential(nn.Linear(1, 1), nn.Flatten(0)), examples, examples, squared
        )

    still = TensorExamples((torch.zeros(8, 1),), torch.zeros(8))
    result = Trainer(TrainingPlan(device="cpu", epochs=50, patience=3)).fit(one_weight(), still, still, squared)
    assert (result.best_epoch, result.epochs) == (1, 4)


def test_the_learning_rate_rises_and_falls_as_the_plan_says() -> None:
    plan = TrainingPlan(learning_rate=0.1, warmup=0.2, schedule="cosine")
    rates = [plan.rate(step, 10) for step in range(10)]
    assert rates[:2] == pytest.approx([0.05, 0.1])
    assert rates[2] == pytest.approx(0.1)
    assert rates[6] == pytest.approx(0.05)
    assert rates == [*rates[:2], *sorted(rates[2:], reverse=True)]
    assert TrainingPlan(learning_rate=0.1, schedule="linear").rate(5, 10) == pytest.approx(0.05)


def test_losses_are_those_of_torch_for_each_example_and_of_members_the_mean() -> None:
    draws = torch.Generator().manual_seed(3)
    odds, truth = torch.randn(6, generator=draws), torch.tensor([0, 1, 1, 0, 1, 0])
    weighted = nn.functional.binary_cross_entropy_with_logits(
        odds, truth.float(), torch.where(truth > 0, 3.0, 1.0), reduction="none"
    )
    assert torch.allclose(binary(3.0)(odds, truth), weighted)
    assert torch.allclose(binary(3.0)(odds[:, None].expand(6, 4), truth), weighted)
    logits, classes = torch.randn(6, 3, generator=draws), torch.tensor([0, 1, 2, 0, 0, 1])
    weights = balanced(classes, 3)
    assert weights.tolist() == pytest.approx([2 / 3, 1.0, 2.0])
    each = nn.functional.cross_entropy(logits, classes, weights, reduction="none")
    assert torch.allclose(multiclass(weights)(logits[:, None].expand(6, 2, 3), classes), each)
    assert huber(torch.tensor([0.5, 3.0]), torch.zeros(2)).tolist() == pytest.approx([0.125, 2.5])


def test_batches_are_of_nearly_one_size_and_splits_hold_out_a_share_of_each_class() -> None:
    assert [len(each) for each in batches(torch.arange(33), 16)] == [11, 11, 11]
    strata = np.repeat([0, 1], [80, 20])
    learn, held = split_rows(100, 0.2, 0, strata)
    assert sorted([*learn, *held]) == list(range(100))
    assert np.bincount(strata[held]).tolist() == [16, 4]
    assert len(split_rows(2, 0.01, 0).held) == 1
    with pytest.raises(Malformed, match="too few"):
        split_rows(1, 0.2, 0)


def test_devices_and_precisions_that_are_not_to_be_had_are_refused() -> None:
    with pytest.raises(Refused, match="the device 'cuda:7' is not here"):
        Trainer(TrainingPlan(device="cuda:7"))
    with pytest.raises(Refused, match="float16 does not train on the CPU"):
        Trainer(TrainingPlan(device="cpu", precision="float16"))
    model = small("mlp", device="cpu", precision="bfloat16").train(*rows())
    assert model.settings["precision"] == "bfloat16"
    assert math.isfinite(model.settings["held_out_loss"])
