"""Corrections around a class's own methods: what `predict_proba` gives is corrected, what `predict` calls stays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any, Final

from ..evaluation.answers.corrections import corrected, corrections, without_corrections

_asked: ContextVar[frozenset[int]] = ContextVar("lepton_asked", default=frozenset())
"""The models that are being asked, by id: what they ask themselves of, or of their parents' class, is uncorrected."""


def follow_corrections(cls: type) -> None:
    """Have the methods that a subclass of `Model` defines follow the corrections in its object's settings."""
    for name, around in _AROUND.items():
        method = vars(cls).get(name)
        if isinstance(method, FunctionType):
            setattr(cls, name, around(method))


@contextmanager
def uncorrected(model: object) -> Generator[None]:
    """While this model answers by what its parameters say alone."""
    token = _asked.set(_asked.get() | {id(model)})
    try:
        yield
    finally:
        _asked.reset(token)


def _predict(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def predict(self: Any, *args: Any, **named: Any) -> Any:
        with uncorrected(self):
            return method(self, *args, **named)

    return predict


def _predict_proba(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def predict_proba(self: Any, *args: Any, **named: Any) -> Any:
        if id(self) in _asked.get():
            return method(self, *args, **named)
        with uncorrected(self):
            chances = method(self, *args, **named)
        return corrected(chances, getattr(self, "settings", {}))

    return predict_proba


def _train(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def train(self: Any, *args: Any, **named: Any) -> Any:
        with uncorrected(self):
            trained = method(self, *args, **named)
        if corrections(settings := getattr(self, "settings", {})):
            self.settings = without_corrections(settings)
        return trained

    return train


_AROUND: Final = {"predict": _predict, "predict_proba": _predict_proba, "train": _train}
