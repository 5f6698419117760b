"""Packages of extras, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import Refused


def built_with(package: str) -> Any:
    """A package of the extra `build`. Raises `Refused` where it is not installed."""
    return needed(package, extra="build", what="this model")


def needed(package: str, *, extra: str, what: str) -> Any:
    """A package of an extra, which something needs. Raises `Refused` where it is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        raise Refused(f"{what} needs the package {error.name}: pip install 'lepton-ai-sdk[{extra}]'") from error
