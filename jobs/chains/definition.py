"""A chain as it is written, and held against what a chain may be before anything of it is asked for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pydantic import ValidationError

from ...errors import LeptonError, Malformed, first_fault
from ...versions.data.named_data import find
from ...versions.workspace import Workspace
from .steps import KINDS_OF_STEPS, STEP_PREFIX, StepRequest

MOST: Final = 100
"""Steps of a chain."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


class Chain(NamedTuple):
    """A chain's steps by name, each behind those that it needs."""

    name: str
    steps: Mapping[str, StepRequest]


class _Fault(Malformed):
    """What is wrong with a chain, with the file and step that it is about."""


def chain_of(workspace: Workspace, told: str | PathLike[str] | Mapping[str, Any], name: str | None = None) -> Chain:
    """The chain of a TOML file, or of a mapping of the same shape; paths are read from the file's folder.

    `name` stands in place of its own. Raises `Malformed` in one sentence that names file and step.
    """
    if isinstance(told, Mapping):
        return _checked(workspace, "the chain", told, Path().absolute(), name)
    path = Path(told)
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Malformed(f"there is no file {str(told)!r}; name one that holds a chain") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Malformed(f"{path.name} is no chain ({error}); write it in TOML, a table [steps.NAME] a step") from error
    return _checked(workspace, path.name, {"name": path.stem} | parsed, path.parent.absolute(), name)


def _checked(workspace: Workspace, where: str, told: Mapping[str, Any], folder: Path, name: str | None) -> Chain:
    if unknown := told.keys() - {"name", "steps"}:
        raise _Fault(f"{where}: {min(unknown)!r} is nothing that a chain has; it has a name, and steps")
    called, given = name or told.get("name"), told.get("steps")
    if called is None:
        raise _Fault(f"{where}: it has no name, by which it is gone on with; give it one")
    if not isinstance(called, str) or not _NAME.fullmatch(called):
        raise _Fault(f"{where}: {called!r} cannot name a chain; give at most 60 letters from a to z, digits or ._-")
    if not isinstance(given, Mapping) or not given:
        raise _Fault(f"{where}: it has no steps; write a table [steps.NAME] for each")
    steps = {str(each): asked for each, asked in cast("Mapping[Any, Any]", given).items()}
    if len(steps) > MOST:
        raise _Fault(f"{where}: it has {len(steps):,} steps; a chain has at most {MOST}")
    made = {each: _step(workspace, f"{where}, step {each}", each, asked, folder) for each, asked in steps.items()}
    return Chain(called, _in_order(where, made))


def _step(workspace: Workspace, where: str, name: str, asked: Any, folder: Path) -> StepRequest:
    if not _NAME.fullmatch(name):
        raise _Fault(f"{where}: {name!r} cannot name a step; give at most 60 letters from a to z, digits or ._-")
    if not isinstance(asked, Mapping):
        raise _Fault(f"{where}: a step is a table; write [steps.{name}] and what it is asked with below")
    said = dict(cast("Mapping[str, Any]", asked))
    kind = said.get("kind")
    if not isinstance(kind, str) or kind not in KINDS_OF_STEPS:
        raise _Fault(f"{where}: there is no kind of step {kind!r}; there are {', '.join(KINDS_OF_STEPS)}")
    for field in ("data", "validation"):
        if isinstance(place := said.get(field), str):
            said[field] = _rows(workspace, where, field, place, folder)
    try:
        return KINDS_OF_STEPS[kind].model_validate(said)
    except ValidationError as error:
        place, words, fault = first_fault(error, "it")
        words = "it takes no such thing" if fault == "extra_forbidden" else words
        takes = ", ".join(
            field.alias or each for each, field in KINDS_OF_STEPS[kind].model_fields.items() if each != "kind"
        )
        raise _Fault(f"{where}: {place}: {words}; {kind} takes {takes}") from None


def _rows(workspace: Workspace, where: str, field: str, place: str, folder: Path) -> str:
    """Where rows lie, or their name. A file of that name in the chain's folder comes first."""
    if place.startswith(STEP_PREFIX):
        raise _Fault(f"{where}: {field} takes no step, for none makes data; name rows or a file")
    if "://" in place:
        return place
    if (path := folder / place).is_file():
        return str(path)
    try:
        if field == "data" and find(workspace, place) is not None:
            return place
    except LeptonError as error:
        raise _Fault(f"{where}: {error}") from error
    raise _Fault(f"{where}: there is no file {place!r} for its {field}; name one, by its path from the chain's folder")


def _in_order(where: str, steps: Mapping[str, StepRequest]) -> Mapping[str, StepRequest]:
    """The steps, each behind those that it needs."""
    for name, step in steps.items():
        for needed in step.upstream:
            if needed not in steps:
                raise _Fault(f"{where}, step {name}: there is no step {needed!r}; there are {', '.join(steps)}")
    try:
        order = tuple(TopologicalSorter({name: step.upstream for name, step in steps.items()}).static_order())
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise _Fault(f"{where}, step {error.args[1][0]}: it waits for itself ({circle}); take one need away") from None
    return {name: steps[name] for name in order}
