"""Trainings that are cut off, and go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor


class CutOff(Exception):
    """The training ends here, as if its process had."""


@dataclass
class Cuts:
    """Keeps what a training has come to at each step, and cuts it off behind some."""

    behind: list[int]
    """Steps, each of which ends an attempt."""
    kept: Mapping[str, Tensor] | None = None
    steps: list[int] = field(default_factory=list)

    def begun(self) -> Mapping[str, Tensor] | None:
        """What the attempt before had come to."""
        return self.kept

    def reached(self, step: int, capture: Callable[[], Mapping[str, Tensor]]) -> None:
        """Keep it, and perhaps end here."""
        self.steps.append(step)
        if self.behind and step >= self.behind[0]:
            self.behind.pop(0)
            self.kept = capture()
            raise CutOff


def to_its_end(train: Callable[[Cuts], object], cuts: Cuts) -> None:
    """Train, as often as it is cut off."""
    while True:
        try:
            train(cuts)
        except CutOff:
            continue
        return
