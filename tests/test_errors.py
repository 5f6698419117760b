"""Errors between processes: each comes back from a pickle or a copy with its sentence and its fields."""

from __future__ import annotations

import copy
import inspect
import pickle
import pkgutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import lepton_ai
from lepton_ai.errors import Damaged, LeptonError, NotInPast, Stale, TooLarge, Unavailable

from .programs.raising import raise_it

VALUES = {"str": "net", "int": 3, "object": 2, "Sequence[str]": ("a", "b"), "str | None": "key"}
"""An argument of each annotation that an error's `__init__` has."""


def kinds(kind: type[LeptonError] = LeptonError) -> Iterator[type[LeptonError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds(each)


def every_kind() -> list[type[LeptonError]]:
    for module in pkgutil.walk_packages(lepton_ai.__path__, "lepton_ai."):
        if module.name.split(".")[1] not in ("tests", "bench", "examples") and "migrations" not in module.name:
            import_module(module.name)
    return [kind for kind in kinds() if kind.__module__.startswith("lepton_ai.")]


def raised(kind: type[LeptonError]) -> LeptonError:
    """One of a kind, as it is raised, with what else it may carry."""
    takes = list(inspect.signature(kind.__init__).parameters.values())[1:] if has_fields(kind) else []
    named = {each.name: VALUES[each.annotation] for each in takes if each.kind is each.KEYWORD_ONLY}
    given = [VALUES[each.annotation] for each in takes if each.kind is each.POSITIONAL_OR_KEYWORD]
    error = kind(*(given if has_fields(kind) else ["so it is"]), **named)
    error.kept_as("4f2a")
    error.add_note("and a note")
    return error


def has_fields(kind: type[LeptonError]) -> bool:
    return kind.__init__ is not Exception.__init__


def described(error: LeptonError) -> tuple[Any, ...]:
    return type(error), str(error), error.args, vars(error), error.exit_code


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_every_error_survives_a_pickle_and_a_copy(kind: type[LeptonError]) -> None:
    error = raised(kind)

    assert len(str(error)) > 10
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert described(pickle.loads(pickle.dumps(error, protocol))) == described(error)
    assert described(copy.copy(error)) == described(copy.deepcopy(error)) == described(error)


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_what_an_error_is_made_of_are_its_fields(kind: type[LeptonError]) -> None:
    takes = set(inspect.signature(kind.__init__).parameters) if has_fields(kind) else set[str]()

    assert takes - {"self", "message", "remedy", "args", "kwargs"} <= set(vars(raised(kind)))


def test_an_error_comes_back_from_a_process_of_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[1])])  # where a child finds what it runs
    errors = (
        NotInPast(3, "main"),
        Stale("branch 'main'", 1, 2, "look again"),
        Damaged("pack a", expected="x", found="y"),
        TooLarge("LogMetrics", 7, 100),
        Unavailable("away", key="k"),
    )
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for error in errors:
            with pytest.raises(type(error)) as found:
                pool.submit(raise_it, error).result()

            assert described(found.value)[:2] == described(error)[:2]
            assert {**vars(error), "__notes__": 0} == {**vars(found.value), "__notes__": 0}
