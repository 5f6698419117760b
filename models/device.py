"""The device that somebody names."""

from __future__ import annotations

import torch

from ..errors import Refused


def named_device(name: str) -> torch.device:
    """A torch device such as 'cpu' or 'cuda:0'. Raises `Refused` where it is not here."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise Refused(f"the device {name!r} is not here ({str(error).splitlines()[0]}); use 'auto' or 'cpu'") from error
