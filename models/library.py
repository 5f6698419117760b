"""The model library: a card of each class that can be trained, and what may be chosen of it; read without torch."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from ..errors import Malformed, UnknownRevision
from ..results.library import HyperparameterRecord, Library, LibraryEntry
from .card import LibraryCard
from .cards import CARDS
from .hyperparameter import defaults, schemas, search_space
from .model import Model, kebab
from .registry import OWN, class_name, hyperparameters_of, own_classes


def names() -> list[str]:
    """The classes that can be trained in this process: Lepton's own, then those that are registered."""
    return [*OWN, *(name for name, kind in own_classes().items() if issubclass(kind, Model))]


def library() -> Library:
    """The entries of all of them."""
    return Library(map(_entry, names()))


def entry(name: str) -> LibraryEntry:
    """The entry of a name. Raises `UnknownRevision` with the names that are near."""
    if name not in (known := names()):
        near = get_close_matches(kebab(name[:80]), known, 2)
        hint = f"did you mean {' or '.join(near)}?" if near else "`lepton library` lists what there is"
        raise UnknownRevision(f"there is no {name[:80]!r} in the model library; {hint}")
    return _entry(name)


def _entry(name: str) -> LibraryEntry:
    kind = own_classes().get(name)
    if kind is None:
        card, python, task = CARDS[name], f"lepton_ai.models.{class_name(name)}", ""
    else:
        assert issubclass(kind, Model)
        card, python, task = kind.CARD or LibraryCard(), f"{kind.__module__}.{kind.__qualname__}", kind.TASK
    told: dict[str, Any] = {**dict(card), "tasks": card.tasks or ((task,) if task else ())}
    return LibraryEntry(
        **told,
        name=name,
        python=python,
        missing=tuple(each for each in card.packages if find_spec(each) is None),
        hyperparameters=tuple(_hyperparameters(name)),
    )


def _hyperparameters(name: str) -> Iterator[HyperparameterRecord]:
    fields = hyperparameters_of(name)
    if fields is None:
        return
    standing = defaults(fields)
    try:
        distributions = search_space(fields)
    except Malformed:  # a class of a user's whose search has no bounds can be trained all the same
        distributions = {}
    for each, schema in schemas(fields).items():
        allowed = {part: value for part, value in schema.items() if part not in ("title", "default", "search")}
        search = distributions.get(each)
        yield HyperparameterRecord(each, standing.get(each), each not in standing, allowed, search)
