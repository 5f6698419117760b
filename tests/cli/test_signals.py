"""A signal that comes at any moment: also while the main thread holds the lock of the event that it sets."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal
from threading import Event
from lepton_ai.cli.work.signals import stopping

stop = Event()
with stopping(stop):
    with stop._cond:  # as within any step of stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
    print(stop.wait(120), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    print("never reached")
"""


def test_the_first_sigterm_is_heard_whatever_the_process_is_at_and_the_second_ends_it() -> None:
    done = subprocess.run((sys.executable, "-c", PROGRAM), capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.returncode) == ("True\n", -15)
