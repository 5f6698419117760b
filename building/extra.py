"""Packages of the extra `build`, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import Refused


def built_with(package: str) -> Any:
    """A package of the extra. Raises `Refused` where it is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        raise Refused(f"this model needs the package {error.name}: pip install 'lepton-ai-sdk[build]'") from error
