"""Metrics of one's own: functions of labels and predictions, registered by a name and known by their direction."""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

from ...errors import LeptonError, Malformed, Refused
from ...plain import words_of

if TYPE_CHECKING:
    from ..outcomes import Outcomes
    from ..resampling import Weights

F = TypeVar("F", bound=Callable[..., Any])
Better = Literal["higher", "lower"]
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_PARTS: Final = ("probabilities", "weights")
"""What a metric's function may take beside labels and predictions."""


@dataclass(frozen=True)
class OwnMetric:
    """A registered metric."""

    name: str
    function: Callable[..., Any]
    better: Better
    task: str | None = None
    """The only task that it is of; None for any."""
    takes: tuple[str, ...] = ()
    """What its function takes beside labels and predictions."""

    def measure(self, outcomes: Outcomes) -> Callable[[Weights], float]:
        """Its value of rows that count more or less often; NaN where it raises or tells no number.

        A function without `weights` is given the rows as often as they count: it takes the time of all its rows at
        every draw of the bootstrap.
        """
        import numpy as np

        labels, called = outcomes.named(outcomes.truth), outcomes.named(outcomes.called)

        def measured(weights: Weights) -> float:
            given: dict[str, Any] = {"weights": weights} if "weights" in self.takes else {}
            rows = slice(None) if given else np.repeat(np.arange(len(labels)), weights.astype(np.int64))
            if "probabilities" in self.takes:
                given["probabilities"] = None if outcomes.chances is None else outcomes.chances[rows]
            try:
                return _number(self.function(labels[rows], called[rows], **given))
            except Exception:  # noqa: BLE001 - of one class alone, say: what a draw leaves undefined
                return math.nan

        return measured

    def figure(self, outcomes: Outcomes) -> float:
        """Its value of all rows. Raises `Refused` where it raises, or tells no finite number."""
        import numpy as np

        every = {"probabilities": outcomes.chances, "weights": np.ones(len(outcomes))}
        given = {name: every[name] for name in self.takes}
        try:
            value = self.function(outcomes.named(outcomes.truth), outcomes.named(outcomes.called), **given)
            told = _number(value)
        except LeptonError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
            what = f"the metric {self.name!r} cannot be measured on these rows ({reason})"
            raise Refused(f"{what}; mend its function, or leave it out") from error
        if not math.isfinite(told):
            raise Refused(f"the metric {self.name!r} is {told} on these rows; return a finite number, or leave it out")
        return told


_metrics: dict[str, OwnMetric] = {}


def metric(name: str, *, better: Better, task: str | None = None) -> Callable[[F], F]:
    """Register a function as a metric that `evaluate(..., metrics=[name])`, jobs and suites can measure.

    It is called with labels and predictions, arrays of one value a row (of a binary task 1 for the positive class and
    0, of several classes their names), and returns a number. Where it has parameters of these names it is given
    `probabilities` (None where there are none) and, for intervals, `weights`, how often each row counts: without these
    it is called on the rows themselves, repeated, which takes longer. It may be called from two threads at a time.
    Raises `Malformed` where the name is a standard metric's or no name, and for a function that takes something else.
    """
    if not _NAME.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a metric; use a letter, then letters, digits and . _ -")
    if name in _standard():
        raise Malformed(f"{name!r} is a metric that Lepton measures itself; register yours under another name")
    if better not in get_args(Better):
        raise Malformed(f"metric {name!r} is said to be better {better!r}; say 'higher' or 'lower'")

    def enter(function: F) -> F:
        known = _metrics.get(name)
        if known is not None and _qualified(known.function) != _qualified(function):
            what = f"the metric {name!r} is registered already, by {_qualified(known.function)}"
            raise Malformed(f"{what}; register {_qualified(function)} under another name")
        _metrics[name] = OwnMetric(name, function, better, task, _taken(name, function))
        return function

    return enter


def registered() -> tuple[str, ...]:
    """The names of the metrics that are registered in this process."""
    return tuple(sorted(_metrics))


def home_of(name: str) -> str:
    """The module of a registered metric's function."""
    return getattr(_metrics[name].function, "__module__", "")


def own_metrics(names: Iterable[str], task: str) -> tuple[OwnMetric, ...]:
    """The registered metrics of those names. Raises `Malformed` where one is not registered, or of another task."""
    if isinstance(names, str):
        raise Malformed(f"metrics are given as a list of names; write [{names!r}]")
    chosen: list[OwnMetric] = []
    for name in dict.fromkeys(names):
        if (known := _metrics.get(name)) is None:
            here = f"there are {', '.join(registered())}" if _metrics else "there are none"
            raise Malformed(
                f"no metric {name!r} is registered in this process; {here}",
                python=f"put @lepton_ai.metric({name!r}, better=...) on its function",
                cli="import the module that registers it with --import",
            )
        if known.task not in (None, task):
            raise Malformed(f"the metric {name!r} is of the task {known.task}, and these rows are of {task}")
        chosen.append(known)
    return tuple(chosen)


def registered_of(names: Sequence[str]) -> tuple[OwnMetric, ...]:
    """Those of the names that are registered in this process."""
    return tuple(_metrics[name] for name in names if name in _metrics)


def _taken(name: str, function: Callable[..., Any]) -> tuple[str, ...]:
    if not callable(function):
        raise Malformed(f"the metric {name!r} is {words_of(function)}; give a function of labels and predictions")
    signature = inspect.signature(function)
    taken = tuple(each for each in _PARTS if each in signature.parameters)
    try:
        signature.bind("labels", "predictions", **dict.fromkeys(taken))
    except TypeError as error:
        what = f"the metric {name!r} is not called with labels and predictions ({error})"
        raise Malformed(f"{what}; it may take probabilities and weights beside, by these names") from error
    return taken


def _number(value: Any) -> float:
    """A real number of whatever library. Raises `TypeError` for anything else."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if not isinstance(value, numbers.Real):
        raise TypeError(f"it returned {words_of(value)}, not a number")
    return float(value)


def _standard() -> frozenset[str]:
    from ...results.judging.performance import STANDARD

    return STANDARD


def _qualified(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__name__)}"
