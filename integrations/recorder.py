"""A training by somebody else's trainer, as a run and, at its end, a version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ..domain.names import checked_label
from ..errors import Malformed
from ..models.model import kebab

if TYPE_CHECKING:
    from torch import nn

    from ..manager import ModelManager
    from ..results import PendingVersion, Version
    from ..versions.runs.run import Run

log = logging.getLogger("lepton")


class TrainingRecorder:
    """Tells the ledger of one training after another; `asked` is what `ModelManager.save_version` takes beside.

    The manager is the nearest home's where none is given.
    """

    def __init__(self, name: str | None, manager: ModelManager | None, asked: Mapping[str, Any]) -> None:
        self._name = name
        self._manager = manager
        self._asked = asked
        self._kept: int | None = None
        self._metrics: dict[str, float] = {}
        self.run: Run | None = None
        """The run of the training that is under way."""
        self.version: Version | PendingVersion | None = None
        """The version that the last training became."""

    def begin(self, module: nn.Module, hyperparameters: Mapping[str, Any]) -> None:
        """Begin a run; one that is still open, for its training raised, is recorded as failed."""
        self.fail(RuntimeError("the training did not come to its end"))
        if self._manager is None:
            from ..manager import ModelManager

            self._manager = ModelManager()
        name = self._name or kebab(type(module).__name__)
        self._kept, self._metrics = None, {}
        self.run = self._manager.run(name, hyperparameters=hyperparameters).__enter__()

    def log(self, figures: Mapping[str, Any], step: int) -> None:
        """Note what of these are numbers."""
        if self.run is None:
            return
        metrics = {name: value for name, each in figures.items() if (value := _number(each)) is not None}
        if metrics:
            self.run.log(metrics, step=step)
            self._metrics |= metrics

    def checkpoint(self, module: nn.Module, optimizer: Any, step: int) -> None:
        """Keep parameters and the optimizer's state on the way, once a step."""
        if self.run is not None and self._kept != step:
            self.run.checkpoint(module, step=step, optimizer=optimizer)
            self._kept = step

    def finish(self, module: nn.Module, optimizer: Any = None) -> None:
        """Keep the version, with the figures that were logged last, and end the run."""
        if self.run is None:
            return
        try:
            figures = {name: value for name, value in self._metrics.items() if _may_be_figure(name)}
            asked: dict[str, Any] = {"metrics": figures, "optimizer": optimizer, **self._asked}
            self.version = self.run.save(module, **asked)
        except BaseException as error:
            self.fail(error)
            raise
        run, self.run = self.run, None
        run.__exit__(None, None, None)

    def fail(self, error: BaseException) -> None:
        """End the run that is open, if one is, as failed."""
        run, self.run = self.run, None
        if run is not None:
            run.__exit__(type(error), error, error.__traceback__)


def plain_only(values: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters among these that are plain values, or lists of them."""
    return {str(name): value for name, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, cast("list[Any]", value)))
    return value is None or type(value) in (str, int, float, bool)


def _number(value: Any) -> float | None:
    """A figure as a number, None where it is none: a text, a tensor of several."""
    if isinstance(value, str | bytes) or (hasattr(value, "numel") and value.numel() != 1):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _may_be_figure(name: str) -> bool:
    """Whether a version may have a figure of this name; a run may log others."""
    try:
        checked_label(name, "metric")
    except Malformed:
        return False
    return "/" not in name
