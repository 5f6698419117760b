"""Revisions as they stand on a command line, and the options that say of which model and branch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

import click

from .completion import branches, models

F = TypeVar("F", bound=Callable[..., Any])

which_model: Final = click.option(
    "--model", metavar="NAME", shell_complete=models, help="The model, where the ledger holds several."
)
_OF_A_MODEL = re.compile(r"[^@{}~^]*@(?!\{)")


def branch_option(told: str) -> Callable[[F], F]:
    """The option of a branch, main where it is left out."""
    return click.option(
        "--branch", default="main", show_default=True, metavar="NAME", shell_complete=branches, help=told
    )


@overload
def of_model(rev: str, model: str | None) -> str: ...
@overload
def of_model(rev: None, model: str | None) -> None: ...
@overload
def of_model(rev: str | None, model: str | None) -> str | None: ...
def of_model(rev: str | None, model: str | None) -> str | None:
    """A revision, or range, in the model that `--model` names, unless it names one itself."""
    if rev is None or model is None or rev == model or _OF_A_MODEL.match(rev):
        return rev
    return f"{model}@{rev}"


def expected(rev: str | None, model: str | None) -> str | int | None:
    """What `--expect` says: a revision, or 0 for nowhere."""
    return 0 if rev == "0" else of_model(rev, model)
