"""What a training cannot be made of: one sentence that says what to do, the right class, and no version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse

from lepton_ai import LeptonError, ModelManager
from lepton_ai.errors import Malformed, Refused, UnknownRevision
from lepton_ai.models import (
    DiagnosisModel,
    ForecastModel,
    ImageModel,
    SegmentationModel,
    SeriesModel,
    TableModel,
    TextModel,
)

from .encoders import small_encoder

DRAWS = np.random.default_rng(0)
Y = np.arange(40) % 2
X = {"a": DRAWS.normal(size=40) + Y, "b": DRAWS.normal(size=40), "c": [*"uvwx"] * 10}
PICTURES = DRAWS.normal(size=(40, 8, 8)).astype(np.float32)
WINDOWS = DRAWS.normal(size=(40, 12, 2)).astype(np.float32)
MASKS = (PICTURES > 0).astype(np.int64)
TEXTS = ["my card is late", "i want a loan"] * 20
DIVERGING = {"learning_rate": 1.0, "weight_decay": 100.0, "clip": None, "family": "mlp", "epochs": 60, "device": "cpu"}
HALF = {"precision": "float16", "device": "cpu"}
RAGGED = pa.table({"x": pa.array([[1.0], [1.0, 2.0]] * 20)})
HUGE = np.where(Y, 1e300, -1e300)


class Case(NamedTuple):
    """A training that cannot be."""

    name: str
    model: Callable[[], Any]
    data: Any
    labels: Any
    says: str
    chosen: Mapping[str, Any] = {}
    error: type[LeptonError] = Malformed


def replaced(place: int, value: Any, labels: Any = Y) -> list[Any]:
    """Labels of which one is another."""
    return [value if at == place else each for at, each in enumerate(np.asarray(labels).tolist())]


CASES = (
    # rows
    Case("no rows", TableModel, {"a": []}, [], "no rows or no columns"),
    Case("no columns", TableModel, {}, Y, "no column"),
    Case("one row", TableModel, {"a": [1.0]}, [1], "all labels are the same"),
    Case("fewer labels than rows", TableModel, X, Y[:39], "39 labels for 40 rows"),
    Case("more labels than rows", TableModel, X, [*Y, 1], "41 labels for 40 rows"),
    Case("columns of different lengths", TableModel, {"a": [1.0] * 40, "b": [1.0] * 39}, Y, "39"),
    Case("a column without a name", TableModel, pd.DataFrame({"": X["a"], "b": X["b"]}), Y, "name"),
    Case("two columns of one name", TableModel, pd.DataFrame(np.ones((40, 2)), columns=["a", "a"]), Y, "'a'"),
    Case("a number in place of rows", TableModel, 7, Y, "holds no rows"),
    Case("a file whose labels nobody names", TableModel, "rows.csv", Y, "which column of rows.csv holds the labels"),
    Case("objects in a column", TableModel, {"a": [object()] * 40}, Y, "'a'"),
    Case("dictionaries in a column", TableModel, {"a": [{"x": 1}] * 40}, Y, "'a'"),
    Case("numbers and text in a column", TableModel, {"a": [1, "x"] * 20}, Y, "'a'"),
    Case("complex numbers", TableModel, {"a": np.ones(40, complex)}, Y, "'a'"),
    Case("infinite numbers", TableModel, {"a": [np.inf, *X["a"][1:]]}, Y, "infinit"),
    Case("a sparse matrix", TableModel, sparse.eye(40).tocsr(), Y, "toarray"),
    # labels
    Case("one class", TableModel, X, np.ones(40, int), "all labels are the same"),
    Case("one class of text", TableModel, X, ["no"] * 40, "all labels are the same"),
    Case("one number", TableModel, X, np.full(40, 0.5), "all labels are the same"),
    Case("a missing label", TableModel, X, replaced(3, None), "1 labels are missing"),
    Case("a label that is not a number", TableModel, X, replaced(3, float("nan"), X["a"]), "1 labels are missing"),
    Case("an infinite label", TableModel, X, replaced(3, float("inf"), X["a"]), "holds infinity"),
    Case("labels beyond what a float32 holds", TableModel, X, HUGE, "too far apart", {"task": "regression"}),
    Case("two columns of labels", TableModel, X, np.ones((40, 2)), "2 columns"),
    Case("a positive label that is none", TableModel, X, Y, "none of the two labels", {"positive_label": "9"}),
    Case("three classes where two belong", TableModel, X, np.arange(40) % 3, "3", {"task": "binary"}),
    Case("text where a number belongs", TableModel, X, ["a", "b"] * 20, "text", {"task": "regression"}),
    Case("labels that are dates", TableModel, X, pd.date_range("2026", periods=40), "date"),
    Case("labels that are masks", DiagnosisModel, X, MASKS, "segmentation-model"),
    # what is chosen
    Case("a device that is not there", TableModel, X, Y, "cuda:77", {"device": "cuda:77"}, Refused),
    Case("a device that is none", TableModel, X, Y, "'abacus'", {"device": "abacus"}, Refused),
    Case("half precision on a processor", TableModel, X, Y, "float16", HALF, Refused),
    Case("a loss that is no number", TableModel, X, X["a"], "diverged", DIVERGING, Refused),
    # pictures
    Case("a table in place of pictures", ImageModel, np.ones((40, 8)), Y, "where pictures belong"),
    Case("pictures of five channels", ImageModel, np.ones((40, 5, 9, 9)), Y, "which is no picture"),
    Case("pictures of no pixels", ImageModel, np.ones((40, 0, 8)), Y, "at least one number"),
    Case("pictures of two sizes", ImageModel, [np.ones((8, 8)), np.ones((8, 9))] * 20, Y, "no common shape"),
    Case("pictures with gaps", ImageModel, np.where(PICTURES > 2, np.nan, PICTURES), Y, "gaps"),
    Case("a net that timm has not", ImageModel, PICTURES, Y, "'resnext0'", {"family": "timm:resnext0"}, Refused),
    Case("masks of another size", SegmentationModel, PICTURES, MASKS[:, 1:], "a class a pixel"),
    Case("masks of one class", SegmentationModel, PICTURES, MASKS * 0, "of one class"),
    Case("masks of fractions", SegmentationModel, PICTURES, MASKS / 3, "fractions"),
    Case("a label a picture where masks belong", SegmentationModel, PICTURES, Y, "no masks"),
    # series
    Case("windows of two lengths", SeriesModel, RAGGED, Y, "1 to 2 numbers"),
    Case("windows of pictures", SeriesModel, np.ones((40, 2, 2, 2)), Y, "3 dimensions"),
    Case("windows of one step", ForecastModel, WINDOWS[:, :1], X["a"], "one step"),
    Case("a forecast of text", ForecastModel, WINDOWS, ["up", "down"] * 20, "text where a number"),
    Case("a forecast of what never changes", ForecastModel, WINDOWS, np.ones(40), "all labels are the same"),
    # texts
    Case("numbers in place of texts", TextModel, {"a": X["a"]}, Y, "this model reads text"),
    Case("a text that is missing", TextModel, replaced(1, None, TEXTS), Y, "1 texts are missing"),
    Case("an encoder that is nowhere", TextModel, TEXTS, Y, "/nowhere", {"encoder": "/nowhere"}, Refused),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bad_input_is_one_sentence_and_makes_no_version(home: Path, tmp_path: Path, case: Case) -> None:
    model = case.model()
    small = {"epochs": 1, "width": 8} | ({} if case.model is TextModel else {"blocks": 1})
    if case.model is TextModel:
        small["encoder"] = str(small_encoder(tmp_path / "encoder"))
    for name, value in (small | dict(case.chosen)).items():
        model.add_hyperparameter(name, value)
    with ModelManager(home) as manager:
        with pytest.raises(LeptonError) as refused:
            manager.train(model, case.data, case.labels, name="net")

        said = str(refused.value)
        assert type(refused.value) is case.error, said
        assert case.says in said
        assert "\n" not in said
        assert len(said) < 400
        with pytest.raises(UnknownRevision):
            manager.show("net@1")
        assert model.module is None
