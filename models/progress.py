"""How a fit is kept on its way, so that another goes on from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Progress(Protocol):
    """Where a fit's state is kept on the way, so that another can go on from it, bit for bit as if none had ended."""

    def begun(self) -> Mapping[str, Tensor] | None:
        """What an earlier fit of the same data, net and schedule had come to; None where this is the first."""
        ...

    def reached(self, step: int, capture: Callable[[], Mapping[str, Tensor]]) -> None:
        """A step, or an epoch, is over and more are to come; `capture` copies the state. Raising ends the fit."""
        ...
