"""What every answer shares: a description for people in text and HTML, a dictionary for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, ClassVar, Final, cast

from ..plain import in_json
from .description import Block, grid
from .render import html, plain_text, screen
from .version import PendingVersion, Version, VersionRef

LONGEST: Final = 300
"""Characters of a field that an answer without a description of its own shows."""


class Shown:
    """Whatever describes itself: `str()` draws it as text, a notebook as HTML, the command line on a terminal."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._repr_pretty_ = Shown._repr_pretty_  # IPython would take the repr that each dataclass has of its own

    def blocks(self) -> Iterator[Block]:
        """How it is described, line by line and table by table."""
        raise NotImplementedError

    def __str__(self) -> str:
        return plain_text(self.blocks(), screen())

    def _repr_html_(self) -> str:
        return html(self.blocks())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        """What IPython shows on a terminal."""
        printer.text(str(self))


class WholeAnswer(Shown):
    """An answer with nothing left out."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = tuple(blocks)

    def blocks(self) -> Iterator[Block]:
        return iter(self._blocks)

    def __repr__(self) -> str:
        return str(self)


class Result(Shown):
    """An answer: its fields as attributes, described for people, and as a dictionary of plain JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, JSON-ready."""
        told = (field.name for field in fields(self) if field.metadata.get("json", True))  # pyright: ignore
        return {name: plain(getattr(self, name)) for name in told}

    def blocks(self) -> Iterator[Block]:
        """A row a field that says something, cut where it is long; `repr()` has all."""
        rows = ((name, _brief(value)) for name, value in self.to_dict().items() if value is not None)
        yield grid((name, _cut(words)) for name, words in rows if words)


class Listing(Shown):
    """An answer that is a list; `called` is its name in JSON."""

    called: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """All that it holds under its name, JSON-ready."""
        return {self.called: [plain(each) for each in cast("Iterable[Any]", self)]}


class Shortened(Result):
    """An answer that is shortened where it is printed, and that has `whole` for who wants to see the rest."""

    def described(self, *, whole: bool) -> Iterator[Block]:
        """How it is described, whole or shortened."""
        raise NotImplementedError

    @property
    def whole(self) -> WholeAnswer:
        """All of it to print."""
        return WholeAnswer(self.described(whole=True))

    def blocks(self) -> Iterator[Block]:
        return self.described(whole=False)


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[:LONGEST]} […] {len(words):,} characters; repr() has all"


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return ", ".join(f"{name} {_brief(each)}" for name, each in pairs if each is not None)
    return "; ".join(map(_brief, cast("list[Any]", value))) if isinstance(value, list) else str(value)


def plain(value: Any) -> Any:
    """An answer as plain JSON: results as dictionaries, versions as their numbers, times as RFC 3339."""
    return in_json(value, _in_json)


def _in_json(value: Any) -> Any:
    if isinstance(value, Version | PendingVersion):
        return value.to_dict()["version"]
    if isinstance(value, VersionRef):
        return str(value)
    if hasattr(value, "to_dict") and not isinstance(value, Listing):  # within an answer it is the list alone
        return plain(value.to_dict())
    return value.isoformat() if isinstance(value, datetime) else value
