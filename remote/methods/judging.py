"""Versions judged by a server: on named data, or on rows that are read here and sent."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, cast

from ...datasets.selection import ALL
from ...errors import Malformed, Refused
from ...versions.arguments import checked
from .asked import Asking, model_at, over_http, quoted
from .rows import load_named, named, rows_asked, rows_if_any, sent

_CHOSEN: Final = ("types", "drop", "columns")
_COLUMN: Final = "\u2063"
"""What the names of columns begin with that are sent beside the rows: no file has such."""


@checked
class JudgedOverHTTP(Asking):
    """`compare`, `pick`, `evaluate`, `gate`, suites, named data and what else judges versions."""

    @over_http
    def diff(self, given: Any) -> Any:
        path = model_at(None, "diff")
        return self._read(path, **{"from": self._words(given.a), "to": given.b and self._words(given.b)})

    @over_http
    def compare(self, given: Any) -> Any:
        body = {"revs": [*map(self._words, given.revs)], "metric": given.metric}
        body |= {"against": given.against and self._words(given.against)}
        body |= self._tested(given)
        return self._judge(model_at(None, "compare"), body)

    @over_http
    def pick(self, given: Any) -> Any:
        revs = [self._within(given.model, rev) for rev in given.revs]
        body = {"revs": revs, "by": _listed(given.by), "require": _listed(given.require)}
        body |= {"in_order": given.in_order or None} | self._tested(given)
        return self._judge(model_at(given.model, "pick"), body)

    @over_http
    def suggest_rollback(self, given: Any) -> Any:
        return self._read(model_at(given.model, "suggestions"), branch=given.branch, metric=given.metric)

    @over_http
    def evaluate(self, given: Any) -> Any:
        body = {"name": given.name, "task": given.task, "better": given.better} | _chosen(given)
        body |= self._reported(given.data, given.labels, given)
        return self._write("POST", self._version_at(given.rev, "evaluations"), body, key=given.key)

    @over_http
    def evaluate_predictions(self, given: Any) -> Any:
        body = {"name": given.name, "task": given.task, "better": given.better, "classes": _several(given.classes)}
        body |= _predictions(self._remote.client, given) | _options(getattr(given, "report", {}))
        path = self._version_at(given.rev, "evaluations", "predictions")
        return self._write("POST", path, body, key=given.key)

    @over_http
    def report(self, given: Any) -> Any:
        return self._read(self._version_at(given.rev, "report"), name=given.name)

    @over_http
    def gate(self, given: Any) -> Any:
        more = dict(given.evaluation) if hasattr(given, "evaluation") else {}
        if given.data is None and (given.labels is not None or (more and given.suite is None)):
            raise Malformed("labels, and what else `evaluate` takes, are about data; give the data too, or none of it")
        body = {"require": _listed(given.require), "name": given.name, "suite": given.suite}
        body |= {"against": given.against and self._words(given.against)}
        body |= {name: more.pop(name) for name in ("task", "better") if name in more}
        body |= {name: _several(more.pop(name)) for name in _CHOSEN if name in more}
        body |= _options(more) | rows_if_any(self._remote.client, given.data, given.labels)
        return self._write("POST", self._version_at(given.rev, "gates"), body, key=given.key)

    @over_http
    def calibrate(self, given: Any) -> Any:
        return self._corrected(given, "calibrations", {"method": given.method})

    @over_http
    def best_threshold(self, given: Any) -> Any:
        return self._corrected(given, "thresholds", {"costs": _plain(given.costs)})

    @over_http
    def robustness(self, given: Any) -> Any:
        names = ("metric", "task", "outputs", "draws", "level", "seed")
        body = {name: getattr(given, name) for name in names} | _chosen(given)
        body |= rows_asked(self._remote.client, given.data, given.labels)
        return self._judge(self._version_at(given.rev, "robustness"), body)

    # ── named data ───────────────────────────────────────────────────────────────────────────────────────────────────

    @over_http
    def add_data(self, given: Any) -> Any:
        body = {"keep": given.keep or None, "message": given.message} | _chosen(given)
        body |= sent(self._remote.client, given.data, given.labels)
        return self._write("PUT", f"/data/{quoted(given.name)}", body, key=given.key)

    @over_http
    def data(self, given: Any) -> Any:
        return self._read(f"/data/{quoted(_bare(given.name))}")

    @over_http
    def data_sets(self, given: Any) -> Any:  # noqa: ARG002
        return self._read("/data")

    @over_http
    def load_data(self, given: Any) -> Any:
        return load_named(self._remote.client, _bare(given.name))

    @over_http
    def drift(self, given: Any) -> Any:
        return self._read(f"/data/{quoted(_bare(given.before))}/drift", after=_bare(given.after))

    # ── suites ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @over_http
    def define_suite(self, given: Any) -> Any:
        names = ("labels", "against", "model", "branch", "evaluation", "task", "message")
        body = {name: getattr(given, name) for name in names} | _chosen(given)
        if (data := named(self._remote.client, str(given.data))) is None:
            raise Refused(
                f"a suite of a server reads named data, and {str(given.data)!r} is a file of this machine",
                python="name its rows first by add_data(NAME, FILE, LABELS, keep=True)",
                cli="name its rows first: lepton data add NAME FILE --label COLUMN --keep",
            )
        body |= {"data": data, "require": _listed(given.require), "pool": given.pool}
        body |= {"metrics": [*given.metrics]} | _options(getattr(given, "report", {}))
        return self._write("PUT", f"/suites/{quoted(given.name)}", body, key=given.key)

    @over_http
    def suites(self, given: Any) -> Any:
        return self._read("/suites", retired=given.retired)

    @over_http
    def suite(self, given: Any) -> Any:
        return self._read(f"/suites/{quoted(given.name)}")

    @over_http
    def run_suite(self, given: Any) -> Any:
        body = {"version": self._words(given.rev)}
        return self._write("POST", f"/suites/{quoted(given.name)}/runs", body, key=given.key)

    @over_http
    def retire_suite(self, given: Any) -> Any:
        params = {"reason": given.reason or None}
        return self._write("DELETE", f"/suites/{quoted(given.name)}", params=params, key=given.key)

    def _corrected(self, given: Any, what: str, more: Mapping[str, Any]) -> Any:
        body = {"branch": given.branch, "message": given.message, **more} | _chosen(given)
        body |= rows_asked(self._remote.client, given.data, given.labels)
        return self._write("POST", self._version_at(given.rev, what), body, key=given.key)

    def _tested(self, given: Any) -> dict[str, Any]:
        """How versions are tested against each other, and on which rows if on any."""
        return _options(getattr(given, "test", {})) | rows_if_any(self._remote.client, given.data, given.labels)

    def _reported(self, data: Any, labels: Any, given: Any) -> dict[str, Any]:
        return _options(getattr(given, "report", {})) | rows_asked(self._remote.client, data, labels)


def _predictions(client: Any, given: Any) -> dict[str, Any]:
    """Predictions, labels, probabilities and data as columns of rows that are sent, and their names."""
    import pyarrow as pa

    from ...datasets.tables import labelled_table

    names = {name: f"{_COLUMN}{name}" for name in ("predictions", "labels")}
    columns: dict[str, Any] = {names[name]: _column(getattr(given, name)) for name in names}
    body: dict[str, Any] = dict(names)
    if given.probabilities is not None:
        columns[f"{_COLUMN}probabilities"], body["probabilities"] = (
            _column(given.probabilities),
            f"{_COLUMN}probabilities",
        )
    table: Any = cast("Any", pa).table(columns)
    if given.data is not None:
        rows, _ = labelled_table(given.data, None, ALL)
        body["data"] = [*rows.column_names]
        for name in rows.column_names:
            table = table.append_column(name, rows.column(name))
    return body | sent(client, table, names["labels"]) | {"labels": names["labels"]}


def _column(values: Any) -> Any:
    """Values, one a row, or several a row, as what Arrow has a column of."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    if getattr(values, "ndim", 1) == 2:
        return [list(row) for row in values.tolist()]
    return values.tolist() if hasattr(values, "tolist") else values


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a report or a test is asked with, as JSON; how far it is nobody tells from a server."""
    return {name: _plain(value) for name, value in options.items() if name != "progress"}


def _plain(given: Any) -> Any:
    """A value as JSON has it: costs by name, arrays as lists, their scalars as numbers."""
    if hasattr(given, "__dataclass_fields__"):
        fields = asdict(given)
        return fields["costs"] if set(fields) == {"costs"} else fields
    if isinstance(given, Mapping):
        return {str(name): _plain(each) for name, each in cast("Mapping[Any, Any]", given).items()}
    if isinstance(given, str):
        return given
    value = given.tolist() if hasattr(given, "tolist") else given
    return [_plain(each) for each in value] if hasattr(value, "__iter__") else value


def _chosen(given: Any) -> dict[str, Any]:
    return {name: _several(getattr(given, name)) for name in _CHOSEN}


def _several(given: Any) -> Any:
    """A sequence as a list; a mapping as it is."""
    return given if given is None or isinstance(given, Mapping) else [*given]


def _listed(texts: str | Sequence[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else [*texts]


def _bare(name: str) -> str:
    return name.removeprefix("data:")
