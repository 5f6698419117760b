"""Windows of a series that lies in time order, and the value that came after each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import Malformed


class Windows(NamedTuple):
    """What a model of series learns from."""

    past: npt.NDArray[np.float32]
    """Shape (windows, time, channels)."""
    came: npt.NDArray[np.float64]
    """What the first channel was then, shape (windows,)."""


def windows(series: npt.ArrayLike, length: int, *, ahead: int = 1, step: int = 1) -> Windows:
    """Cut numbers in time order, shape (time,) or (time, channels), into windows of `length`, one each `step`.

    What came is the first channel `ahead` steps behind the window's last. Raises `Malformed` where there are gaps, or
    the series is too short for one window.
    """
    values = np.asarray(series, np.float64)
    if values.ndim not in (1, 2):
        raise Malformed(f"a series has the shape {values.shape}; give time, or time × channels")
    if min(length, ahead, step) < 1:
        raise Malformed("length, ahead and step are at least 1")
    if not np.isfinite(values).all():
        raise Malformed(f"{int((~np.isfinite(values)).sum())} values of the series are missing; fill or cut them first")
    count = len(values) - length - ahead + 1
    if count < 1:
        raise Malformed(f"{len(values)} values are too few for a window of {length} and one {ahead} behind it")
    channels = values.reshape(len(values), -1)
    past = np.lib.stride_tricks.sliding_window_view(channels, length, axis=0)[:count:step].swapaxes(1, 2)
    return Windows(past.astype(np.float32), channels[length + ahead - 1 :, 0][:count:step].copy())
