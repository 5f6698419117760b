"""A version: all that it recorded, what is noted of it later, and the reports of what it was judged on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from starlette.responses import Response

from ...domain.model.revision import parts
from ...errors import Damaged, Unavailable
from ...results import Report, Version, VersionRecord, VersionRef
from ...results.figures import pairs, size, told
from ...results.judging.sentences import Sentences
from ...results.pages.charts import TITLES, charts_of
from ...results.pages.tables import chart_table
from ...results.past.history import ROLES
from .charts.figure import Chart, ChartFigure, figures, of_report, spec_sent
from .html import templates, translated
from .page import PageRoutes, PageView, Visit

pages = PageRoutes()

PARTS: Final = ("hyperparameters", "data", "derivation", "settings", "architecture", "code", "environment")
"""What a version recorded, by name and value."""


@pages.page("/m/{model}/v/{rev}", "version")
def version(page: Visit, model: str, rev: str) -> PageView | Response:
    """All that a version recorded; a name is sent on to the number it stands on."""
    record = page.manager.show(named(model, rev))
    return sent_on(page, record.version, model, rev) or shown(page, record)


@pages.act("/m/{model}/v/{rev}", "version", version)
def note(page: Visit, said: Mapping[str, str], model: str, rev: str) -> str:
    """Put a note on a version, take one off, or say what it is."""
    at = named(model, rev)
    if "description" in said:
        page.present.describe(at, said["description"].replace("\r\n", "\n").strip())
    else:
        page.present.annotate(at, {said.get("name", "").strip(): _value(said.get("value", "").strip())})
    return page.link("m", model, "v", rev)


@pages.page("/m/{model}/v/{rev}/report", "report", few=True)
def report(page: Visit, model: str, rev: str) -> PageView | Response:
    """The report that is kept of an evaluation: of the one that `name` says, else of the newest."""
    record = page.manager.show(named(model, rev))
    if elsewhere := sent_on(page, record.version, model, rev, "report"):
        return elsewhere
    made = page.manager.report(named(model, rev), page.asked("name") or None)
    charts = _charts(made)
    if spec := spec_sent(page, charts):
        return spec
    body = partial(_body, page, made, [] if page.is_json else figures(page, charts))
    return PageView({"version": record.version, "body": body, "first": first_parent(record.version)}, made)


def named(model: str, rev: str) -> str:
    """A revision of an address, with its model."""
    return f"{model}@{rev}"


def qualified(model: str, rev: str) -> str:
    """As `named`, where a revision may name a model of its own. Raises `Malformed`."""
    return rev if parts(rev)[0] is not None else named(model, rev)


def written(version: Version, model: str) -> str:
    """A version as the address of a page of a model has it."""
    return str(version) if version.model == model else f"{version.model}@{version}"


def sent_on(page: Visit, version: Version, model: str, rev: str, *rest: str) -> Response | None:
    """Where a page is that was asked for by a name of its version; None where it was asked for by number."""
    if (version.model, str(version)) == (model, rev):
        return None
    return page.elsewhere("m", version.model, "v", version, *rest)


def first_parent(version: Version) -> str | None:
    """The version that this one came from, as an address has it."""
    if not version.parents:
        return None
    return str(version.parents[0][0])


def shown(page: Visit, record: VersionRecord) -> PageView:
    """The page of a version."""
    at = record.version
    judged, unread = _judged(page, at)
    data = {
        "record": record,
        "version": at,
        "first": first_parent(at),
        "parents": [_parent(at, ref, role) for ref, role in at.parents],
        "figures": _figures(record),
        "judged": judged,
        "unread": unread,
        "parts_of": {name: list(pairs(getattr(record, name) or {})) for name in PARTS},
        "files": [(file["name"], size(file["bytes"]), _stored(at, "files", file["name"])) for file in record.files],
        "weights": _stored(at, "weights"),
        "card": _stored(at, "card"),
        "size": size(record.bytes),
        "delta": record.delta and {**record.delta, "size": size(record.delta["bytes"])},
        "may_write": page.may("write", at.model),
        "data_sets": page.manager.data_sets(),
        "other_aliases": [name for name in page.manager.aliases(model=at.model) if name not in record.aliases],
        "key": str(uuid4()),
    }
    evaluations = [each.to_dict() | {"report": each.report is not None} for each in judged]
    return PageView(data, record.to_dict() | {"evaluations": evaluations})


def _judged(page: Visit, at: Version) -> tuple[tuple[Any, ...], str]:
    """What the version was judged on; a report that cannot be read now is said, and the rest is shown."""
    try:
        return page.manager.card(named(at.model, str(at))).judged, ""
    except (Damaged, Unavailable) as error:
        return (), error.fact


def _figures(record: VersionRecord) -> list[tuple[str, float, str]]:
    """Each figure with the rows it was measured on; of two of a name the one that was logged comes second."""
    rows: list[tuple[str, float, str]] = []
    for name, value in sorted(record.metrics.items()):
        rows.append((name, value, told(record.rows[name]) if name in record.rows else translated("rows unknown")))
        if name in record.logged:
            rows.append((name, record.logged[name], translated("logged; rows unknown")))
    return rows


def _parent(at: Version, ref: int | VersionRef, role: str) -> dict[str, Any]:
    model, number = ref if isinstance(ref, VersionRef) else (at.model, int(ref))
    return {"model": model, "number": number, "role": translated(role) if role in ROLES else role}


def _stored(at: Version, *rest: str) -> str:
    """Where the API sends something of a version."""
    return "/api/v1/" + "/".join(quote(str(part), safe="") for part in ("models", at.model, "versions", at, *rest))


def _value(words: str) -> str | int | float | bool | None:
    """A note's value: a number, true or false, else text; nothing takes the note off."""
    try:
        read = json.loads(words) if words else None
    except (ValueError, RecursionError):
        return words
    return read if isinstance(read, str | int | float | bool) else words or None


def _charts(made: Report) -> list[Chart]:
    """The charts of a report, each with its table."""
    told = Sentences()
    return [
        of_report(made, name, told.word(TITLES[name]), chart_table(made, name, told), told.language)
        for name in charts_of(made)
    ]


def _body(page: Visit, made: Report, shown: list[ChartFigure]) -> str:
    """The report's words and charts."""
    from ...results.pages.page import body

    macros: Any = templates().get_template("charts.html.j2").make_module({"page": page})
    return body(made, [macros.figure(page, each) for each in shown])
