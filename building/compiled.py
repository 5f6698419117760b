"""Nets compiled by torch for the machine that they learn on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn

from ..errors import Refused


def compiled(module: nn.Module) -> nn.Module:
    """The module, called through kernels that `torch.compile` makes of it at the first call (Ansel et al. 2024).

    They are made for batches of any size, for the last one of an epoch is smaller and held-out ones are larger.
    """
    return cast("nn.Module", torch.compile(module, dynamic=True))  # pyright: ignore[reportUnknownMemberType]


@contextmanager
def compiling() -> Generator[None]:
    """Inside, what keeps a net from being compiled is `Refused` in one sentence."""
    from torch._dynamo.exc import TorchDynamoException  # pyright: ignore[reportPrivateImportUsage]

    try:
        yield
    except TorchDynamoException as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise Refused(
            f"torch cannot compile this net here ({said}); set the hyperparameter 'compiled' to false"
        ) from error
