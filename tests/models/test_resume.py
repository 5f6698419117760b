"""A fit that goes on from a checkpoint ends bit for bit as one that was never interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch

from lepton_ai.errors import Refused

from .test_credit import DATA, LABELS, parameters, quick


class Kept:
    """A fit's progress in memory: ends it after an epoch, and begins the next where that ended."""

    def __init__(self, stop_after: int | None, state: Mapping[str, torch.Tensor] | None = None) -> None:
        self.stop_after = stop_after
        self.state = state
        self.seen: list[int] = []

    def begun(self) -> Mapping[str, torch.Tensor] | None:
        return self.state

    def reached(self, epoch: int, capture: Callable[[], Mapping[str, torch.Tensor]]) -> None:
        self.seen.append(epoch)
        if epoch == self.stop_after:
            self.state = capture()
            raise InterruptedError


@pytest.mark.parametrize("stop_after", [1, 4, 7])
def test_a_fit_that_was_interrupted_and_resumed_ends_as_one_that_was_not(stop_after: int) -> None:
    whole = quick().train(DATA, LABELS)
    first = Kept(stop_after)
    with pytest.raises(InterruptedError):
        quick().train(DATA, LABELS, progress=first)
    second = Kept(None, first.state)
    resumed = quick().train(DATA, LABELS, progress=second)

    assert second.seen == list(range(stop_after + 1, 8))
    assert (resumed.settings, resumed.metrics) == (whole.settings, whole.metrics)
    assert parameters(resumed) == parameters(whole)


def test_a_checkpoint_of_another_fit_is_refused() -> None:
    with pytest.raises(Refused, match="the checkpoint is of another fit"):
        quick().train(DATA, LABELS, progress=Kept(None, {"net.wide": torch.zeros(1)}))
