"""Several small wide-and-deep nets side by side, computed as one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class WideAndDeep(nn.Module):
    """`members` nets over the same features, each a linear part beside a ReLU net (Cheng et al. 2016).

    Every parameter's first dimension is the member, so one batched product computes all.
    """

    def __init__(self, width: int, hidden: Sequence[int], members: int) -> None:
        super().__init__()
        sizes = (width, *hidden, 1)
        self.wide = nn.Parameter(torch.zeros(members, width, 1, dtype=torch.float32))
        self.weights = nn.ParameterList(
            torch.zeros(members, fan_in, fan_out, dtype=torch.float32) for fan_in, fan_out in pairwise(sizes)
        )
        self.biases = nn.ParameterList(torch.zeros(members, 1, size, dtype=torch.float32) for size in sizes[1:])

    def initialise(self, generator: torch.Generator, silent: int = 0) -> None:
        """He et al. 2015 for the hidden layers; the output, the linear part and the last `silent` features start at 0.

        So each net begins as the base rate, and a feature that training never shows stays without effect.
        """
        with torch.no_grad():
            for weight in list(self.weights)[:-1]:
                weight.normal_(0.0, (2.0 / weight.shape[1]) ** 0.5, generator=generator)
            first = self.weights[0]
            first[:, first.shape[1] - silent :] = 0.0

    def forward(self, features: Tensor, dropout: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Log-odds, shape (members, rows), of features of shape (members, rows, width).

        With a generator, features and hidden units are dropped at that rate; without one, none is.
        """
        features = _dropped(features, dropout, generator)
        flow = features
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                flow = _dropped(flow.relu(), dropout, generator)
            flow = torch.baddbmm(bias, flow, weight)
        return (flow + torch.bmm(features, self.wide)).squeeze(-1)


def _dropped(values: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """Dropout from a generator of our own: torch's draws from the global one, whose state is the caller's."""
    if generator is None or not rate:
        return values
    kept = torch.rand(values.shape, generator=generator, device=values.device, dtype=torch.float32) >= rate
    return values * kept / (1.0 - rate)
