"""What cannot be judged is refused, each in one sentence that says which rule and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lepton_ai.errors import Malformed
from lepton_ai.evaluation import binary, measures, multiclass, paired, regression
from lepton_ai.evaluation.diagnostics import calibration, fairness, slices
from lepton_ai.evaluation.diagnostics.calibration import Isotonic, Temperature, correction_of
from lepton_ai.evaluation.diagnostics.costs import Costs, cost_curve
from lepton_ai.evaluation.intervals import bootstrap
from lepton_ai.evaluation.predictions import outcomes_of_predictions as outcomes
from lepton_ai.evaluation.report import Asked, report_of
from lepton_ai.evaluation.request import ReportRequest
from lepton_ai.evaluation.resampling import Sampling, SingleRows, scheme_of
from lepton_ai.evaluation.structured import multilabel, ranking, segmentation, sequences

NAN, INF = float("nan"), float("inf")
LABELS, ONE, OTHER = [0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]
FEW = Asked(draws=9)


def of_rows(n: int) -> measures.Measure:
    return measures.of_probabilities(np.arange(n) % 2.0, np.linspace(0, 1, n))


def ragged(what: str) -> str:
    return f"the {what} are ragged or no numbers; give as many numbers in each row"


UNEQUAL = "paired values must be finite numbers; leave out the rows that a model has none for"
TWO = "labels to judge must be 0 or 1; map the positive class to 1"
INSIDE = "probabilities to judge must lie between 0 and 1; NaN and scores outside are none"
CORRECTED = "probabilities to correct must lie between 0 and 1; NaN and scores outside are none"
RANGE = "p-values to correct must lie between 0 and 1; leave out the tests that gave none"
CLASSES = "classes to judge are texts beside numbers or gaps; give all as one kind, without gaps"
KEPT = "what is kept of a correction by temperature is none; fit it anew"

CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "labels that are text": (lambda: binary.score(["a", "b"], [0.1, 0.2]), ragged("labels")),
    "labels that are missing": (lambda: binary.score([0, None], [0.1, 0.2]), TWO),
    "infinite probabilities": (lambda: binary.score([0, 1], [0.1, INF]), INSIDE),
    "probabilities that are NaN": (lambda: report_of(outcomes("binary", [0, 1], [0, 1], [0.1, NAN]), FEW), INSIDE),
    "a threshold that is NaN": (
        lambda: binary.score([0, 1], [0.1, 0.2], NAN), "a threshold of nan cuts nothing; 0.5 is usual",
    ),
    "fewer probabilities than rows": (
        lambda: outcomes("binary", [0, 1, 1], [0, 1, 1], [0.1, 0.2]),
        "there are 2 probabilities for 3 rows; give one a row, or one column a class",
    ),
    "a class that the model never saw": (
        lambda: outcomes("binary", ["yes", "maybe"], ["yes", "no"], None, ["no", "yes"]),
        "labels are 'no' or 'yes', and there is maybe; name both",
    ),
    "classes of two kinds": (lambda: multiclass.score([None, "a"], ["a", "b"]), CLASSES),
    "numbers for classes": (
        lambda: multiclass.score([0.5, 1], [1, 2]),
        "classes to judge must be whole numbers or texts; numbers that are measured are a regression",
    ),
    "text for a regression": (lambda: regression.score(["a", "b"], [1, 2]), ragged("labels")),
    "an infinite prediction": (
        lambda: regression.score([1, 2], [1, INF]),
        "numbers to judge must be finite; drop the rows that are not, or find out why they were predicted",
    ),
    "no rows": (lambda: regression.score([], []), "no rows to judge; give at least one label and its prediction"),
    "fairness of several classes": (
        lambda: report_of(outcomes("multiclass", ["a", "b"], ["a", "b"]), Asked(sensitive={"sex": ["f", "m"]})),
        "fairness compares what was called positive, and multiclass calls nothing so",
    ),
    "costs of a regression": (
        lambda: report_of(outcomes("regression", [1, 2.5], [1, 2]), Asked(costs=Costs())),
        "a threshold of least cost needs a binary classifier's probabilities; leave costs out",
    ),
    "draws that are no number": (
        lambda: Asked(draws="many"), "many draws are not between 0 (no intervals) and 100,000; 1,000 are usual",  # type: ignore[arg-type]
    ),
    "a truth value for draws": (
        lambda: Asked(draws=True), "True draws are not between 0 (no intervals) and 100,000; 1,000 are usual",
    ),
    "a level that is text": (
        lambda: Asked(level="0.9"), "a level of 0.9 is not from 0.5 to below 1; 0.95 is usual",  # type: ignore[arg-type]
    ),
    "a seed below 0": (
        lambda: Asked(seed=-1), "a seed of -1 is no whole number from 0 to below 2**63; 0 is usual",
    ),
    "progress that is no function": (
        lambda: Asked(progress=5),  # type: ignore[arg-type]
        "progress is called with how much is done and how much there is to do; give a function",
    ),
    "columns that are a number": (
        lambda: ReportRequest(slices=5), "slices is an int; give a list of names of columns",  # type: ignore[arg-type]
    ),
    "sensitive columns that are a truth value": (
        lambda: ReportRequest(sensitive=True), "sensitive is a bool; give a list of names of columns",  # type: ignore[arg-type]
    ),
    "one metric by its name": (
        lambda: ReportRequest(metrics="f2"), "metrics are given as a list of names; write ['f2']",
    ),
    "costs that are a number": (
        lambda: ReportRequest(costs=5),  # type: ignore[arg-type]
        "costs are given by name, as in {'false_negative': 5}; not as an int",
    ),
    "strata that are text": (
        lambda: ReportRequest(stratified="yes"), "stratified is a str; say True or False",  # type: ignore[arg-type]
    ),
    "an infinite column": (
        lambda: slices.worst([1, 0.0], {"a": [INF, 1.0]}),
        "column 'a' holds infinity; give a number, or None where it is unknown",
    ),
    "fairness of very many groups": (
        lambda: fairness.by_group(np.arange(101) % 2, np.arange(101) % 2, np.arange(101)),
        "there are 101 groups, and fairness compares at most 100; give coarser ones",
    ),
    "tags that are a number": (
        lambda: outcomes("sequence", 5, 5), "tags are an int; give a list of tags for each sequence",
    ),
    "one group": (
        lambda: report_of(outcomes("binary", [0, 1], [0, 1], sampling=Sampling(groups=["a", "a"])), FEW),
        "all rows are of one group, and groups are what is drawn; an interval needs at least two",
    ),
    "a missing group": (
        lambda: report_of(outcomes("binary", [0, 1], [0, 1], sampling=Sampling(groups=["a", None])), FEW),
        "a row has no group; name one for every row, or leave out the rows without",
    ),
    "a block of half a row": (
        lambda: scheme_of(10, block=2.5), "a block is a whole number of rows, not 2.5; 4 are usual for 10 rows",  # type: ignore[arg-type]
    ),
    "a series of one row": (
        lambda: scheme_of(1, block=1), "blocks are drawn of a series, and 1 rows are none; give at least 2",
    ),
    "a sensitive attribute of one group": (
        lambda: fairness.by_group([0, 1], [0, 1], ["a", "a"]),
        "all rows are of the group 'a'; fairness compares at least two",
    ),
    "no draws for fairness": (
        lambda: fairness.by_group([0, 1], [0, 1], ["a", "b"], draws=0),
        "0 draws say nothing of chance; give at least 1, 1,000 are usual",
    ),
    "costs that are text": (lambda: Costs("a", 1), ragged("costs")),  # type: ignore[arg-type]
    "costs of nothing": (
        lambda: Costs(0, 0), "an error costs no more than being right, so no threshold is best; check the costs' signs",
    ),
    "costs of no rows": (
        lambda: cost_curve([], [], Costs()), "no rows to judge; give at least one label and its probability",
    ),
    "no bins": (
        lambda: calibration.reliability([1, 0], [0.2, 0.3], 0),
        "0 bins hold no probability; give at least 1, 15 are usual",
    ),
    "temperature of NaN": (lambda: Temperature(2.0)([0.1, NAN]), CORRECTED),
    "isotonic beyond 1": (lambda: Isotonic((0.1, 0.9), (0.0, 1.0))([1.5]), CORRECTED),
    "a temperature of 0": (lambda: correction_of({"method": "temperature", "temperature": 0}), KEPT),
    "a temperature that is missing": (lambda: correction_of({"method": "temperature"}), KEPT),
    "an uneven line": (
        lambda: correction_of({"method": "isotonic", "probabilities": [0.1], "frequencies": [0.1, 0.2]}),
        "an isotonic correction has as many frequencies as probabilities; fit it anew",
    ),
    "losses that are text": (lambda: slices.worst(["a", "b"], {"a": [1, 2]}), ragged("losses")),
    "a column of two columns": (
        lambda: slices.worst([1, 0.0], {"a": np.ones((2, 2))}), "column 'a' has shape (2, 2); give one value a row",
    ),
    "a column that is one value": (
        lambda: slices.worst([1, 0.0], {"a": 5}), "column 'a' has shape (); give one value a row",  # type: ignore[dict-item]
    ),
    "DeLong of NaN": (lambda: paired.delong(LABELS, [NAN, *ONE[1:]], OTHER), UNEQUAL),
    "DeLong of three classes": (lambda: paired.delong([0, 2, 1, 1], ONE, OTHER), TWO),
    "DeLong at no level": (
        lambda: paired.delong(LABELS, ONE, OTHER, level=95), "a level of 95 is not between 0 and 1; 0.95 is usual",
    ),
    "McNemar of numbers": (
        lambda: paired.mcnemar([3, 2, 0], [1, 0, 0]),
        "McNemar's test asks whether each row was called right; give True or False for it",
    ),
    "McNemar of unequal rows": (
        lambda: paired.mcnemar([1, 0], [1, 0, 0]),
        "paired values have shapes (2,) and (3,); give one a row for both models",
    ),
    "forecasts' losses that are infinite": (lambda: paired.diebold_mariano(ONE, [INF, *ONE[1:]], "mse"), UNEQUAL),
    "a forecast of no step": (
        lambda: paired.diebold_mariano(ONE, OTHER, "mse", 0),
        "a forecast is at least 1 step ahead, not 0; give how many steps it looks ahead",
    ),
    "a figure that the models have not": (
        lambda: paired.paired_bootstrap("dice", of_rows(9), of_rows(9), SingleRows(9), 50),
        "dice is undefined on these rows; compare by a figure that both models have",
    ),
    "models of unequal rows": (
        lambda: paired.paired_bootstrap("roc_auc", of_rows(9), of_rows(8), SingleRows(9), 50),
        "models are compared on 8 and 9 rows; give both the same",
    ),
    "other rows than are drawn": (
        lambda: bootstrap(of_rows(9), SingleRows(8), 50), "9 rows are measured and 8 are drawn; give the same rows",
    ),
    "a comparison without draws": (
        lambda: paired.paired_bootstrap("roc_auc", of_rows(9), of_rows(9), SingleRows(9), 0),
        "0 draws have no spread; give at least 2, 1,000 are usual",
    ),
    "a p-value that is NaN": (lambda: paired.holm([0.1, NAN]), RANGE),
    "a p-value above 1": (lambda: paired.holm([0.1, 2]), RANGE),
    "relevance that is text": (lambda: ranking.score(["a"], [1], [1]), ragged("grades of relevance")),
    "a missing query": (
        lambda: ranking.score([1, 0], [1, 2], [None, "a"]),
        "a row has no query; name one for every row, or leave out the rows without",
    ),
    "masks of unequal shapes": (
        lambda: segmentation.score(np.ones((1, 2, 2)), np.ones((1, 2, 3))),
        "masks of shape (1, 2, 2) do not match predicted masks of shape (1, 2, 3)",
    ),
    "a sequence of one value": (
        lambda: sequences.score([1, 2], [1, 2]), "a sequence is one value; give a list of its tags",  # type: ignore[list-item]
    ),
    "a place without a tag": (
        lambda: sequences.score([[None]], [["a"]]),  # type: ignore[list-item]
        "sequence 0 has a place without a tag; give each a tag, such as O",
    ),
    "chances that are ragged": (
        lambda: multilabel.score([[1, 0]] * 2, [[1, 0]] * 2, [[0.1, 0.2], [0.3]]), ragged("probabilities"),  # type: ignore[list-item]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
def test_what_cannot_be_judged_is_refused_in_a_sentence(case: str) -> None:
    call, sentence = CASES[case]

    with pytest.raises(Malformed) as refusal:
        call()

    assert str(refusal.value) == sentence


def test_an_unknown_task_is_told_those_that_there_are() -> None:
    with pytest.raises(Malformed, match=r"there are no figures for the task 'guess'; it is binary, multiclass, "):
        outcomes("guess", [0, 1], [0, 1])


def test_a_class_without_a_column_leaves_the_log_loss_undefined() -> None:
    found = outcomes("multiclass", ["a", "z"], ["a", "b"], [[0.5, 0.5], [0.5, 0.5]], ["a", "b"]).performance

    assert found.to_dict()["log_loss"] is None
    assert found.figures()["accuracy"] == 0.5


def test_one_class_alone_leaves_its_figures_without_intervals() -> None:
    report = report_of(outcomes("binary", [1] * 50, [1] * 50, np.linspace(0.5, 1, 50)), Asked(draws=50))

    assert report.intervals.keys() == {"brier", "log_loss"}
    assert report.performance.to_dict()["roc_auc"] is None
