"""One thread for torch while small fits go on, also where several overlap, and as many as before after them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

import torch

_lock = Lock()
_inside = 0
_before = 0
"""Threads of the process before the first of the fits that go on now."""


@contextmanager
def one_thread() -> Generator[None]:
    """Compute on one thread, for torch's count is the process's: a thread that starts later begins with it.

    So a fit that begins while another goes on finds 1, and has to leave what the first one found.
    """
    global _inside, _before
    with _lock:
        own = torch.get_num_threads()
        if not _inside:
            _before = own
        elif own == 1:
            own = _before
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            torch.set_num_threads(own)
