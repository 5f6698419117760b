"""Predicting: what a version says of rows, one answer a row and in their order."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ...errors import Malformed, Refused
from ..data.uploaded import UploadedFile

if TYPE_CHECKING:
    import pyarrow as pa

    from ...domain.model.state import ModelState
    from ..workspace import Workspace

T = TypeVar("T")
PREDICTION: Final = "prediction"


@dataclass(frozen=True, slots=True)
class Predictor:
    """A version that is asked: what it is made of, what it learnt, and how its object is had."""

    model: str
    number: int
    architecture: Mapping[str, Any]
    data: Mapping[str, Any] | None
    load: Callable[[], Any]

    def __str__(self) -> str:
        return f"version {self.number} of {self.model}"

    def answered(self, ask: Callable[[], T]) -> T:
        """What its class answers; what that raises of its own is told in one sentence."""
        from ...evaluation.subjects import answered

        return answered(str(self), ask)


def predict(
    workspace: Workspace, model: ModelState, number: int, data: Any, keep: Sequence[str] | None = ()
) -> pa.Table:
    """What a version of the ledger says of rows, as `predicted` has it."""
    from ..restore import load

    event = model.version(number).event
    version = Predictor(model.name, number, event.architecture, event.data, lambda: load(workspace, model, number))
    return predicted(version, data, keep)


def predicted(version: Predictor, data: Any, keep: Sequence[str] | None = ()) -> pa.Table:
    """The columns to `keep` (None: all), `prediction`, and `probability_CLASS` of each class that the version knows.

    `data` is a file's path, read as what the version learnt, or rows as its class takes them, of which none are kept.
    Raises `Refused` where the version predicts nothing, `Malformed` where the rows are not what it learnt.
    """
    import pyarrow as pa

    from ...datasets.values.arrays import arrow_array

    predictor = _predictor(version)
    rows, beside = _rows(version, data, keep)
    given = dict(zip(beside.column_names, beside.columns, strict=True)) if beside is not None else {}
    count = version.answered(lambda: _count(rows)) if beside is None else beside.num_rows
    answers: dict[str, Any] = {PREDICTION: version.answered(lambda: predictor.predict(rows)) if count else []}
    answers |= _probabilities(version, predictor, rows, count)
    for name, values in answers.items():
        if name in given:
            raise Malformed(f"the rows have a column {name!r} of their own; leave it out of those that are kept")
        if len(values) != count:
            raise Refused(f"{version} gave {len(values)} values of {name} for {count} rows, not one a row")
    return cast("Any", pa).table(given | {name: arrow_array(name, values) for name, values in answers.items()})


def _predictor(version: Predictor) -> Any:
    """The object of a version that predicts. Raises `Refused` with the reason why there is none."""
    from ...models.registry import IMPORTED, knows

    architecture, what = version.architecture, str(version)
    name = architecture.get("class")
    if not isinstance(name, str):
        raise Refused(
            f"{what} holds plain tensors, which predict nothing; save the model itself, of a registered class"
        )
    if not isinstance(architecture.get("config"), Mapping):
        raise Refused(
            f"{what} is a {name}, whose class was not registered when it was made, so that nobody can build it again; "
            "take its tensors and predict in Python"
        )
    if not knows(name):
        raise Refused(
            f"{what} is a {name!r}, and no class of that name is registered in this process",
            python="import the module that registers it first",
            cli=IMPORTED,
        )
    built = version.load()
    if not callable(getattr(built, "predict", None)):
        raise Refused(f"{what} is a {name!r}, whose class has no predict(data); predict in Python")
    return built


def _rows(version: Predictor, data: Any, keep: Sequence[str] | None) -> tuple[Any, Any]:
    """The rows to predict, and of a file the columns that are kept beside them."""
    if isinstance(data, UploadedFile):
        data = data.path
    if not isinstance(data, str | PathLike):
        if keep != ():
            raise Malformed("columns are kept of a file's rows only; yours are at hand")
        return data, None
    from ...datasets.read import rows_beside
    from ...datasets.selection import schema_of

    return rows_beside(fspath(cast("str", data)), schema_of(version.architecture, version.data), keep)


def _count(rows: Any) -> int:
    """How many rows there are; a mapping holds them by column."""
    return max(map(len, rows.values()), default=0) if isinstance(rows, Mapping) else len(rows)


def _probabilities(version: Predictor, predictor: Any, rows: Any, count: int) -> dict[str, Any]:
    """By column the probabilities of each class; none where the class gives none."""
    from ...evaluation.probabilities import read_probabilities

    predict_proba = getattr(predictor, "predict_proba", None)
    if not callable(predict_proba) or getattr(predictor, "TASK", "") == "regression":
        return {}
    classes = getattr(predictor, "classes_", None)
    if not count:
        return {f"probability_{each}": [] for each in (() if classes is None else classes)}
    chances = read_probabilities(version.answered(lambda: predict_proba(rows)))
    if chances.ndim == 1:  # of the positive class alone
        return {f"probability_{1 if classes is None else classes[-1]}": chances}
    names = [*range(chances.shape[1])] if classes is None else [*classes]
    if len(names) != chances.shape[1]:
        raise Refused(f"{version} gave probabilities of {chances.shape[1]} classes, and it has {len(names)}")
    return {f"probability_{name}": chances[:, place] for place, name in enumerate(names)}
