"""Credit scoring as its user sees it: fits that repeat, gaps and new levels that do no harm, refusals that say why."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score

from lepton_ai.errors import Malformed, Refused
from lepton_ai.models import CreditScoringModel
from lepton_ai.models.places import fill
from lepton_ai.models.registry import architecture_of, build
from lepton_ai.models.state import tensors_of

JOBS = np.array(["clerk", "smith", "nurse", "baker"])


def loans(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Loans whose risk follows income, debt and job, some cells missing."""
    rng = np.random.default_rng(seed)
    income, debt, job = rng.lognormal(8, 0.5, rows), rng.gamma(2, 2, rows), rng.integers(0, 4, rows)
    odds = 1.2 * debt - 0.0006 * income + np.array([-1.0, 0.0, 1.0, 2.0])[job] - 3
    labels = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    data = pd.DataFrame({"income": income, "debt": debt, "job": JOBS[job]}).astype({"job": object})
    data.loc[rng.random(rows) < 0.1, "income"] = None
    data.loc[rng.random(rows) < 0.1, "job"] = None
    return data, labels


DATA, LABELS = loans(300)


def quick(**hyperparameters: object) -> CreditScoringModel:
    model = CreditScoringModel()
    for name, value in ({"epochs": 8, "members": 2} | hyperparameters).items():
        model.add_hyperparameter(name, value)
    return model


@pytest.fixture(scope="module")
def trained() -> CreditScoringModel:
    return CreditScoringModel().train(DATA, LABELS)


def parameters(model: CreditScoringModel) -> dict[str, bytes]:
    return {name: bytes(tensor.raw()) for name, tensor in tensors_of(model).items()}


def test_the_sample_of_the_mission_trains_and_prints_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEPTON_LANG", raising=False)
    model = CreditScoringModel()
    model.add_hyperparameter("learning_rate", 0.01)
    model.add_hyperparameter("dropout_rate", 0.2)
    model.train(DATA, LABELS)
    performance = model.evaluate(*loans(200, seed=1))

    assert model.name == "credit-scoring-model"
    assert f"{performance}".startswith("精度0.")
    assert performance.roc_auc is not None
    assert performance.roc_auc > 0.8


@pytest.mark.parametrize(
    "form",
    [pa.Table.from_pandas, lambda d: {name: list(d[name]) for name in d}, lambda d: d[["job", "debt", "income"]]],
    ids=["arrow", "columns", "another order"],
)
def test_rows_are_scored_alike_whatever_holds_them(trained: CreditScoringModel, form: object) -> None:
    assert np.array_equal(trained.predict_proba(form(DATA)), trained.predict_proba(DATA))  # type: ignore[operator]


def test_an_array_of_numbers_will_do() -> None:
    numbers = DATA[["income", "debt"]].to_numpy(float)

    assert quick().train(numbers, LABELS.tolist()).predict_proba(numbers).shape == (300, 2)


def test_two_fits_give_the_same_bits_whatever_the_random_state_and_leave_it_as_it_was() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    states = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    first = quick().train(DATA, LABELS)
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])

    torch.manual_seed(2)
    threads, precision = torch.get_num_threads(), torch.get_default_dtype()
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        torch.set_default_dtype(torch.float64)
        with torch.inference_mode():
            second = quick().train(DATA, LABELS)
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(precision)

    assert parameters(first) == parameters(second)
    assert first.settings == second.settings
    assert first.metrics == second.metrics
    assert parameters(quick(seed=1).train(DATA, LABELS)) != parameters(first)


def test_a_second_fit_of_one_object_starts_anew() -> None:
    model = quick().train(*loans(100, seed=3))

    assert parameters(model.train(DATA, LABELS)) == parameters(quick().train(DATA, LABELS))


def test_another_process_fits_the_same_bits(trained: CreditScoringModel, tmp_path: Path) -> None:
    DATA.assign(label=LABELS).to_parquet(tmp_path / "loans.parquet")
    code = (
        "import sys, hashlib, pyarrow.parquet as pq\n"
        "from lepton_ai.models import CreditScoringModel\n"
        "from lepton_ai.models.state import tensors_of\n"
        "table = pq.read_table(sys.argv[1])\n"
        "model = CreditScoringModel().train(table.drop_columns('label'), table['label'])\n"
        "print(hashlib.sha256(b''.join(bytes(t.raw()) for t in tensors_of(model).values())).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, tmp_path / "loans.parquet"], capture_output=True, text=True, check=True
    )
    here = hashlib.sha256(b"".join(parameters(trained).values())).hexdigest()

    assert done.stdout.strip() == here


def test_tensors_and_architecture_alone_rebuild_it_exactly(trained: CreditScoringModel) -> None:
    architecture = json.loads(json.dumps(architecture_of(trained)))

    again = build(architecture)
    fill(again, tensors_of(trained))

    assert np.array_equal(again.predict_proba(DATA), trained.predict_proba(DATA))
    assert np.array_equal(again.predict(DATA), trained.predict(DATA))
    assert again.evaluate(DATA, LABELS) == trained.evaluate(DATA, LABELS)
    assert architecture_of(again) == architecture
    assert np.array_equal(copy.deepcopy(again).predict_proba(DATA), trained.predict_proba(DATA))


def test_what_a_version_recorded_beside_its_tensors_is_taken_back(trained: CreditScoringModel) -> None:
    told = {name: getattr(trained, name) for name in ("hyperparameters", "settings", "data", "metrics")}

    again = build(architecture_of(trained)).recall(**json.loads(json.dumps(told)))

    assert {name: getattr(again, name) for name in told} == told


def test_no_value_of_the_data_stands_in_what_events_record(trained: CreditScoringModel) -> None:
    told = json.dumps(
        [trained.hyperparameters, trained.settings, trained.data, trained.metrics, trained.architecture()]
    )

    assert not [job for job in JOBS if job in told]
    assert not [name for name in tensors_of(trained) if any(job in name for job in JOBS)]
    assert not [job for job in JOBS for raw in parameters(trained).values() if job.encode() in raw]
    assert trained.data is not None
    assert trained.data["rows"] == 300


def test_gaps_and_levels_never_seen_are_scored_and_change_only_their_own_rows(trained: CreditScoringModel) -> None:
    strange = DATA.copy()
    strange.loc[0, ["income", "debt", "job"]] = [None, None, None]
    strange.loc[1, "job"] = "astronaut"
    strange.loc[2, "job"] = "alchemist"
    strange.loc[[1, 2], ["income", "debt"]] = [3000.0, 4.0]

    chances = trained.predict_proba(strange)

    assert np.isfinite(chances).all()
    assert chances[1, 1] == chances[2, 1]
    assert np.allclose(chances[3:], trained.predict_proba(DATA)[3:], atol=1e-6)
    whole = trained.predict_proba({"income": [3000.0] * 4, "debt": [4.0] * 4, "job": list(JOBS)})[:, 1]
    assert whole.min() < chances[1, 1] < whole.max()


def test_an_outlier_counts_as_the_tail_that_training_saw(trained: CreditScoringModel) -> None:
    low, high = ({"income": [3000.0], "debt": [debt], "job": ["clerk"]} for debt in (1e3, 1e300))

    assert np.array_equal(trained.predict_proba(low), trained.predict_proba(high))


def test_a_flag_that_is_set_in_one_row_of_two_hundred_is_not_clipped_away() -> None:
    data, labels = {"flag": [0.0] * 398 + [1.0] * 2}, [0, 1] * 198 + [0, 0, 1, 1]

    chances = quick(epochs=40).train(data, labels).predict_proba({"flag": [0.0, 1.0]})[:, 1]

    assert chances[1] > chances[0]


def test_a_gap_tells_where_training_shows_that_it_does() -> None:
    data = {"known": [None if i % 3 else 1.0 for i in range(300)], "noise": list(range(300))}
    labels = [int(i % 3 == 0) for i in range(300)]

    performance = quick(epochs=40).train(data, labels).evaluate(data, labels)

    assert performance.roc_auc == 1.0


def test_rare_levels_share_a_place_and_frequent_ones_are_kept() -> None:
    data = {"id": [f"unique {i}" for i in range(250)] + ["often"] * 50, "x": DATA["debt"]}

    config = quick(max_levels=3).train(data, LABELS).architecture()["config"]
    levels = quick(max_levels=3).train({"c": [f"level {i % 9}" for i in range(300)]}, LABELS).architecture()["config"]

    assert isinstance(config, dict)
    assert isinstance(levels, dict)
    assert (config["levels"], levels["levels"]) == ([1], [3])


def test_the_fit_stops_without_progress_and_keeps_its_best_epoch() -> None:
    seen: list[Mapping[str, float]] = []
    model = quick(epochs=500, patience=3, learning_rate=0.05, members=8)

    model.train(DATA, LABELS, on_epoch=lambda epoch, losses: seen.append({"epoch": epoch, **losses}))

    held_out = [losses["held_out_loss"] for losses in seen]
    best = int(np.argmin(held_out)) + 1
    assert model.settings["epochs"] == len(seen) == best + 3
    assert model.settings["best_epoch"] == best
    assert model.metrics["log_loss"] == pytest.approx(min(held_out), rel=1e-5)


def test_given_validation_rows_decide_when_to_stop_and_are_not_learnt() -> None:
    validation = loans(100, seed=5)
    losses: list[float] = []
    model = quick(epochs=60).train(
        DATA, LABELS, validation=validation, on_epoch=lambda _, told: losses.append(told["held_out_loss"])
    )
    chances = model.predict_proba(validation[0])[:, 1]

    assert model.settings["held_out"] == "validation"
    assert model.settings["held_out_rows"] == 100
    assert model.metrics["roc_auc"] == pytest.approx(roc_auc_score(validation[1], chances))
    assert log_loss(validation[1], chances) <= min(losses) + 1e-6  # the bag's mean does no worse than its members
    assert model.data == quick().train(DATA, LABELS).data


def test_the_figures_of_the_fit_are_of_rows_it_did_not_learn(trained: CreditScoringModel) -> None:
    noise = quick(epochs=60, members=8, patience=60).train(DATA, np.random.default_rng(0).permutation(LABELS))

    assert noise.settings["held_out_rows"] == 300
    assert noise.metrics["roc_auc"] < 0.6
    assert trained.metrics["roc_auc"] > 0.8
    assert all(type(value) is float for value in trained.metrics.values())


def test_a_fit_that_is_called_off_leaves_the_model_as_it_was() -> None:
    model = quick().train(DATA, LABELS)
    before = parameters(model), dict(model.settings), model.data

    def call_off(epoch: int, losses: Mapping[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.train(*loans(50, seed=4), on_epoch=call_off)

    assert (parameters(model), model.settings, model.data) == before


def test_weight_on_positives_raises_their_probability() -> None:
    rare = np.flatnonzero((LABELS == 0) | (np.arange(300) % 4 == 0))
    data, labels = DATA.iloc[rare], LABELS[rare]
    plain, balanced = (quick(epochs=30, positive_weight=weight).train(data, labels) for weight in (1.0, "balanced"))

    assert balanced.settings["positive_weight"] == (labels == 0).sum() / labels.sum()
    assert balanced.predict_proba(data)[:, 1].mean() > plain.predict_proba(data)[:, 1].mean() + 0.05


def test_the_threshold_is_the_best_f1_of_held_out_rows_or_the_one_given() -> None:
    fitted, given = quick().train(DATA, LABELS), quick(threshold=0.9).train(DATA, LABELS)

    assert given.evaluate(DATA, LABELS).threshold == given.settings["threshold"] == 0.9
    assert fitted.evaluate(DATA, LABELS).threshold == fitted.settings["threshold"] != 0.5
    assert fitted.metrics["f1"] >= given.metrics["f1"]
    assert given.predict(DATA).tolist() == (given.predict_proba(DATA)[:, 1] >= 0.9).astype(int).tolist()


def test_labels_come_back_as_they_were_given() -> None:
    words = np.where(LABELS == 1, "bad", "good")

    by_words = quick(positive_label="bad").train(DATA, words)
    by_numbers = quick().train(DATA, LABELS + 1)
    turned = quick(positive_label=1).train(DATA, LABELS + 1)

    assert set(by_words.predict(DATA)) == {"bad", "good"}
    assert by_numbers.predict(DATA).tolist() == [2 if word == "bad" else 1 for word in by_words.predict(DATA)]
    assert by_words.evaluate(DATA, words) == by_numbers.evaluate(DATA, LABELS + 1)
    assert turned.evaluate(DATA, LABELS + 1).positives == (LABELS == 0).sum()


def test_a_handful_of_rows_is_enough_to_run() -> None:
    model = quick(members=8).train({"x": [1, 2], "c": ["a", None]}, [0, 1])

    assert np.isfinite(model.predict_proba({"x": [None, 5], "c": ["b", None]})).all()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "learning-rate",
            0.1,
            "has no hyperparameter 'learning-rate'; it knows batch_size, device, dropout_rate, epochs",
        ),
        ("learning_rate", "fast", "hyperparameter 'learning_rate' must be a number from 1e-07 to 1, not 'fast'"),
        ("learning_rate", 0, "must be a number from 1e-07 to 1, not 0"),
        ("learning_rate", float("nan"), "must be a number"),
        ("learning_rate", True, "must be a number"),
        ("dropout_rate", 1.0, "must be a number from 0 to 0.95, not 1.0"),
        ("epochs", 2.5, "must be a whole number of at least 1, not 2.5"),
        ("members", 0, "must be a whole number from 1 to 1024, not 0"),
        ("hidden", 32, "must be a list of whole numbers from 1 to 65536, not 32"),
        ("hidden", [0], "must be a list of whole numbers"),
        ("positive_weight", "heavy", "must be a number from 0.001 to 1000, or 'balanced', not 'heavy'"),
        ("threshold", 2, "must be a number from 0 to 1, or None, not 2"),
        ("seed", -1, "must be a whole number of at least 0"),
        ("device", 0, "must be 'auto' or a torch device"),
        ("positive_label", [1], "must be a number, a text or None"),
    ],
)
def test_a_bad_hyperparameter_is_refused_at_once(name: str, value: object, sentence: str) -> None:
    model = CreditScoringModel()
    before = dict(model.hyperparameters)

    with pytest.raises(Malformed) as refusal:
        model.add_hyperparameter(name, value)  # type: ignore[arg-type]

    assert sentence in str(refusal.value)
    assert model.hyperparameters == before


def test_numpy_scalars_are_taken_as_the_numbers_that_they_are() -> None:
    model = (
        CreditScoringModel()
        .add_hyperparameter("epochs", np.int64(3))
        .add_hyperparameter("learning_rate", np.float32(0.5))
    )

    assert json.dumps([model.hyperparameters["epochs"], model.hyperparameters["learning_rate"]]) == "[3, 0.5]"


@pytest.mark.parametrize("hidden", [[], [4], [8, 4]])
def test_any_depth_can_be_trained(hidden: list[int]) -> None:
    assert quick(hidden=hidden).train(DATA, LABELS).architecture()["config"]["hidden"] == hidden  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("data", "labels", "sentence"),
    [
        (DATA, LABELS[:-1], "there are 299 labels for 300 rows"),
        (DATA, np.zeros(300), "all labels are the same"),
        (DATA, np.arange(300) % 3, "the labels have 3 classes, and this model tells two apart"),
        (DATA, ["good", "bad"] * 150, "the labels are text; set the hyperparameter 'positive_label'"),
        (DATA.iloc[:0], [], "the data has no rows or no columns"),
        ({"a": [1, 2], "b": [1]}, [0, 1], "give columns of one length"),
    ],
)
def test_a_fit_to_bad_data_is_refused_in_one_sentence(data: object, labels: object, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        CreditScoringModel().train(data, labels)

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (DATA.drop(columns="job"), "the data lacks column 'job'; give exactly the columns"),
        (DATA.assign(age=1, zip=2), "the data adds column 'age', 'zip'; give exactly the columns"),
        (DATA.rename(columns={"job": "work"}), "the data lacks column 'job' and adds column 'work'"),
        (DATA.assign(debt="much"), "column 'debt' holds text where the model learnt numbers"),
        (np.zeros((3, 3)), "the data lacks column 'income', 'debt', 'job' and adds column '0', '1', '2'"),
    ],
)
def test_rows_of_another_shape_are_refused_at_prediction(
    trained: CreditScoringModel, data: object, sentence: str
) -> None:
    with pytest.raises(Malformed) as refusal:
        trained.predict(data)

    assert sentence in str(refusal.value)


def test_labels_that_the_model_never_learnt_are_refused(trained: CreditScoringModel) -> None:
    with pytest.raises(Malformed, match="3 labels are none of the two that the model learnt"):
        trained.evaluate(DATA, [7, 8, 9, *LABELS[3:]])


def test_before_its_first_fit_a_model_says_so() -> None:
    for ask in (lambda m: m.predict(DATA), lambda m: m.state_dict(), lambda m: m.architecture(), tensors_of):
        with pytest.raises(Refused, match=r"has no parameters before its first fit; call train"):
            ask(CreditScoringModel())


def test_a_fit_that_diverges_says_so() -> None:
    model = quick(learning_rate=1.0, hidden=[64] * 12, dropout_rate=0.0, weight_decay=100.0, epochs=200)

    with pytest.raises(Refused, match="diverged in epoch"):
        model.train(DATA, LABELS)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="the device 'cuda:77' is not here"):
        quick(device="cuda:77").train(DATA, LABELS)


@pytest.mark.parametrize("config", [{}, {"columns": [], "flagged": [], "levels": [], "hidden": ["x"], "members": 1}])
def test_a_shape_that_is_none_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="no shape of a CreditScoringModel"):
        build({"class": "credit-scoring-model", "config": config})  # type: ignore[dict-item]


def test_german_credit_is_learnt_in_three_seconds_of_one_core(public_data: Path) -> None:
    table = pd.read_csv(public_data / "german.data", sep=r"\s+", header=None)
    data, labels, part = table.drop(columns=20), table[20], np.arange(1000) % 5 == 0
    CreditScoringModel().train(data[:100], labels[:100])  # imports
    start = time.thread_time()
    model = CreditScoringModel().train(data[~part], labels[~part])
    seconds = time.thread_time() - start

    assert seconds < 3
    assert model.evaluate(data[part], labels[part]).roc_auc > 0.74  # type: ignore[operator]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_is_taken_where_there_is_one_and_repeats_itself() -> None:
    first, second = (quick().train(DATA, LABELS) for _ in range(2))

    assert first.settings["device"] == "cuda"
    assert parameters(first) == parameters(second)
    assert next(first.trained().parameters()).device.type == "cpu"
