"""Versions: a model's, page by page; all that one recorded, and what is noted of it later."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# (pyarrow ships no types)

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ...results import VersionRecord, VersionSummaries
from ...results.shapes.history import VERSION_RECORD, VERSIONS
from ...results.shapes.judging import CARD
from ...results.shapes.names import VERSION
from ..caller import ANSWER, JSON, Call
from ..cursors import USUAL, Cursor, Most, paging
from ..described import TABLES, answers
from ..negotiation import accepted
from ..routing import Router
from ..tables import listed

if TYPE_CHECKING:
    import pyarrow as pa

router = Router("versions")

Where = Annotated[str | None, Query(description="Those for which this holds (docs/expressions.md).")]
Branch = Annotated[str | None, Query(description="Those that were committed on this branch.")]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Those with numbers below this one.")]
Language = Annotated[Literal["zh", "en"] | None, Query(description="The language of the card.")]
Note = str | int | float | bool | None
MARKDOWN: Final = "text/markdown"


Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""A number, as answers have it too."""


class Description(BaseModel):
    """What a version is."""

    model_config = ConfigDict(extra="forbid")

    description: str


class Metrics(BaseModel):
    """Figures of a version that were found elsewhere."""

    model_config = ConfigDict(extra="forbid", strict=True)

    metrics: dict[str, Number] = Field(description="figures by name; NaN and infinities as text")
    validation: dict[str, Any] | None = Field(None, description="fingerprint of the rows that they are of")
    task: str | None = Field(None, description="what they are of: binary, multiclass, regression")
    better: dict[str, Literal["lower", "higher"]] | None = Field(None, description="which way they are better")


class Clearance(BaseModel):
    """Why a version that was rolled back from may be suggested again."""

    model_config = ConfigDict(extra="forbid")

    reason: str


@router.get(
    "/models/{model}/versions", summary="A model's versions", responses=answers(VERSIONS, also=TABLES, page=True)
)
def versions(
    call: Call,
    model: str,
    where: Where = None,
    branch: Branch = None,
    before: Before = None,
    most: Most = USUAL,
    cursor: Cursor = None,
) -> Response:
    """A model's versions at a glance, newest first; as JSON, CSV, Arrow's stream or Parquet."""
    asked = paging(call, most, cursor)
    some = call.manager.versions(
        call.model(model), where=where, branch=branch, most=most + 1, before=asked.after or before
    )
    page = asked.page(some, lambda each: int(each.version))
    answer = VersionSummaries(some.model, tuple(page.rows))
    body = answer.to_dict() | {"next": page.next}
    return listed(call, answer, lambda: _table(answer), body=body, headers=page.headers)


@router.get("/models/{model}/versions/{rev}", summary="A version", responses=answers(VERSION_RECORD))
def version(call: Call, model: str, rev: str) -> Response:
    """All that a version recorded."""
    record = call.manager.show(call.rev(model, rev))
    return call.read(record, body=_told(record))


@router.put(
    "/models/{model}/versions/{rev}/description", summary="Describe a version", responses=answers(VERSION_RECORD)
)
def describe(call: Call, model: str, rev: str, told: Description) -> Response:
    """Say what a version is; what was said before is replaced."""
    named = _named(call, model, rev)
    return _wrote(call, named, lambda: call.manager.describe(named, told.description, key=call.key))


@router.patch(
    "/models/{model}/versions/{rev}/annotations", summary="Put notes on a version", responses=answers(VERSION_RECORD)
)
def annotate(call: Call, model: str, rev: str, notes: dict[str, Note]) -> Response:
    """Put notes on a version, by name; null takes one off. Everybody can read a note, for ever."""
    named = call.rev(model, rev)
    return _wrote(call, named, lambda: call.manager.annotate(named, notes, key=call.key))


@router.post(
    "/models/{model}/versions/{rev}/metrics", summary="Note figures of a version", responses=answers(VERSION_RECORD)
)
def measure(call: Call, model: str, rev: str, told: Metrics) -> Response:
    """Note figures that were found elsewhere; versions are ranked by those alone whose rows are told."""
    named, asked = call.rev(model, rev), told.model_dump()
    asked["metrics"] = {name: float(value) for name, value in told.metrics.items()}
    return _wrote(call, named, lambda: call.manager.record_metrics(named, key=call.key, **asked))


@router.post(
    "/models/{model}/versions/{rev}/clearance",
    summary="Clear a version that was rolled back from",
    responses=answers(VERSION),
)
def clear(call: Call, model: str, rev: str, told: Clearance) -> Response:
    """Let a version be suggested again that was rolled back from."""
    return call.wrote(lambda: call.manager.clear(call.rev(model, rev), reason=told.reason, key=call.key))


@router.get(
    "/models/{model}/versions/{rev}/card", summary="A version's model card", responses=answers(CARD, also=(MARKDOWN,))
)
def card(call: Call, model: str, rev: str, language: Language = None) -> Response:
    """The model card in Hugging Face's format, as Markdown or JSON."""
    media = accepted(call.request.headers.get("accept"), (MARKDOWN, JSON, ANSWER))
    made = call.manager.card(call.rev(model, rev), language=language)
    if media in (JSON, ANSWER):
        return call.read(made)
    return Response(made.markdown, headers={"Vary": "Accept"}, media_type=f"{MARKDOWN}; charset=utf-8")


def _named(call: Call, model: str, rev: str) -> str:
    """A revision that is no model's name alone, which would be described in the version's place."""
    named = call.rev(model, rev)
    return f"{named}@main" if named in call.manager.models() else named


def _wrote(call: Call, rev: str, act: Any) -> Response:
    """Note something of a version: the answer is all that it recorded."""
    return call.wrote(act, tell=lambda then, _: then.show(rev), body=_told)


def _told(record: VersionRecord) -> dict[str, Any]:
    return record.to_dict() | {"version": record.version.to_dict()}


def _table(answer: VersionSummaries) -> pa.Table:
    """A row a version: names in lists, figures by name."""
    import pyarrow as pa

    text, names = pa.string(), pa.list_(pa.string())
    schema: dict[str, Any] = {"version": pa.int64(), "model": text, "digest": text, "branch": text, "seq": pa.int64()}
    schema |= {"time": pa.timestamp("us", tz="UTC"), "actor": text, "message": text, "tags": names, "branches": names}
    schema |= {"aliases": names, "metrics": pa.map_(text, pa.float64())}
    rows = [{**vars(each), **each.version.to_dict(), "metrics": list(each.metrics.items())} for each in answer.versions]
    return pa.Table.from_pylist(rows, pa.schema(list(schema.items())))  # pyright: ignore[reportUnknownMemberType]
