"""Revisions as they stand on a command line."""

from __future__ import annotations

import re
from typing import overload

_OF_A_MODEL = re.compile(r"[^@{}~^]*@(?!\{)")


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
