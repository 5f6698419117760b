"""What every answer shares: short for people, a dictionary for programs, HTML for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from html import escape
from typing import Any, Final, cast

from ..plain import in_json
from .version import Version, VersionRef

WIDTH: Final = 100
"""Characters of a field that `str()` of an answer shows."""


class Result:
    """An answer: its fields as attributes, in short, as a dictionary of plain JSON, and as HTML in a notebook."""

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name, JSON-ready."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # pyright: ignore

    def __str__(self) -> str:
        """A line a field that says something, cut where it is long; `repr()` has all."""
        told = ((name, _brief(value)) for name, value in self.to_dict().items() if value is not None)
        return "\n".join(f"{name}: {words}" for name, words in told if words)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in self.to_dict().items()
        )
        return f"<table><tbody>{rows}</tbody></table>"


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        value = ", ".join(f"{name} {_brief(each)}" for name, each in pairs if each is not None)
    elif isinstance(value, list):
        value = "; ".join(map(_brief, cast("list[Any]", value)))
    text = str(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def plain(value: Any) -> Any:
    """An answer as plain JSON: results as dictionaries, versions as their numbers, times as RFC 3339."""
    return in_json(value, _in_json)


def _in_json(value: Any) -> Any:
    if isinstance(value, Version):
        return value.to_dict()["version"]
    if isinstance(value, VersionRef):
        return str(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value.isoformat() if isinstance(value, datetime) else value
