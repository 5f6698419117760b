"""Memory that is not to be had, of which torch tells in several ways."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_SAID: Final = re.compile(r"out of memory|can't allocate memory|RESOURCE_EXHAUSTED")
"""By torch: on CUDA and MPS, on the CPU, and by XLA."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not as much memory as was asked for, on the CPU or another device."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_SAID.search(str(error))))


@contextmanager
def within_memory() -> Generator[None]:
    """Inside, a training that takes more memory than there is raises `MemoryError`, wherever that was asked for."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        said = str(error).partition("\n")[0].removesuffix(".")
        raise MemoryError(
            f"the training takes more memory than there is ({said}); lower the hyperparameter 'batch_size', or make "
            "the net smaller"
        ) from error
