"""torch's threads: as many after fits that overlap as before them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import torch

from lepton_ai.models.credit.threads import one_thread

from ..asking import PATIENCE


def counted() -> int:
    """The threads that a thread begins with now."""
    counts: list[int] = []
    thread = Thread(target=lambda: counts.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return counts[0]


def test_fits_that_overlap_leave_as_many_threads_as_there_were() -> None:
    before, wide = torch.get_num_threads(), 3
    first_in, second_in, first_out = Event(), Event(), Event()

    def first() -> int:
        with one_thread():
            first_in.set()
            assert second_in.wait(PATIENCE)
        first_out.set()
        return torch.get_num_threads()

    def second() -> tuple[int, int]:
        assert first_in.wait(PATIENCE)
        with one_thread():
            second_in.set()
            assert first_out.wait(PATIENCE)
            within = torch.get_num_threads()
        return within, torch.get_num_threads()

    try:
        torch.set_num_threads(wide)
        with ThreadPoolExecutor(2) as pool:
            one, two = pool.submit(first), pool.submit(second)

        assert (one.result(), two.result(), counted()) == (wide, (1, wide), wide)
    finally:
        torch.set_num_threads(before)
