"""Trainings that are cut off, and go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lepton_ai.building.neural import NeuralModel


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


def check_cut_off(new: Callable[[], NeuralModel[Any, Any, Any]], data: Any, labels: Any) -> None:
    """A training that is cut off at three steps, drawn at random, makes the bits of one that never was."""
    whole, often, seen = new(), new(), Cuts([])
    whole.train(data, labels, progress=seen)
    torch.manual_seed(5)  # the caller's state is no matter
    draws = np.random.default_rng(len(seen.steps))
    cuts = Cuts(sorted(draws.choice(seen.steps[:-1], 3, replace=False).tolist()))
    to_its_end(lambda progress: often.train(data, labels, progress=progress), cuts)

    assert cuts.behind == []
    assert (whole.settings, whole.metrics) == (often.settings, often.metrics)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, often.state_dict()[name]), name
