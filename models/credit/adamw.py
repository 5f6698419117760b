"""AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101) without torch's compiler.

The arithmetic is torch's own. Its class `torch.optim.AdamW` imports the compiler at the first step, which takes a
process that is started for one training three seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_BETAS: Final = (0.9, 0.999)
_EPSILON: Final = 1e-8


class AdamW:
    """Steps of parameters, each group with a weight decay of its own."""

    def __init__(self, groups: Sequence[tuple[Sequence[torch.nn.Parameter], float]], learning_rate: float) -> None:
        self._groups = groups
        self._learning_rate = learning_rate
        self._parameters = [parameter for parameters, _ in groups for parameter in parameters]
        self.slots = [
            {
                "step": torch.tensor(0.0, dtype=torch.float32),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
            for parameter in self._parameters
        ]
        """What is remembered of each parameter: how many steps, the averages of its gradient and of its square."""

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move each parameter by its gradient."""
        slots = iter(self.slots)
        for parameters, decay in self._groups:
            own = [next(slots) for _ in parameters]
            adamw(
                [*parameters],
                [parameter.grad for parameter in parameters if parameter.grad is not None],
                [slot["exp_avg"] for slot in own],
                [slot["exp_avg_sq"] for slot in own],
                [],
                [slot["step"] for slot in own],
                amsgrad=False,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                lr=self._learning_rate,
                weight_decay=decay,
                eps=_EPSILON,
                maximize=False,
            )

    def restore(self, slots: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Go on from slots of before, by the place of their parameter. `ValueError` where they are of another net."""
        for place, slot in enumerate(self.slots):
            for name, value in slot.items():
                if slots[place][name].shape != value.shape:
                    raise ValueError(f"{name} of parameter {place} has another shape")
                value.copy_(slots[place][name])
