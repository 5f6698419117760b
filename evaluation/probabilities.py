"""Probabilities and other numbers as an array, whatever holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets.values.arrays import is_tensor, plain_array
from ..errors import Malformed


def read_probabilities(probabilities: Any) -> npt.NDArray[np.float64]:
    """One probability a row, shape (n,), or one column a class, shape (n, classes).

    Raises `Malformed` on ragged rows, text, and any other shape; whether they lie between 0 and 1 is not looked at.
    """
    chances = read_numbers(probabilities, "probabilities")
    if chances.ndim not in (1, 2) or chances.shape[1:] == (0,):
        raise Malformed(f"probabilities of shape {chances.shape} cannot be judged; give one a row, or a column a class")
    return chances


def read_numbers(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Numbers of any shape; None becomes NaN. Raises `Malformed` on ragged rows and text."""
    held = plain_array(values, f"the tensor of {what}") if is_tensor(values) else values
    try:
        array: npt.NDArray[Any] = np.asarray(held)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"they are of type {array.dtype}")
        return array.astype(np.float64)
    except (ValueError, TypeError):
        raise Malformed(f"the {what} are ragged or no numbers; give as many numbers in each row") from None
