"""`lepton worker` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def worker(home: Path, *words: str, **terms: float) -> subprocess.Popen[bytes]:
    """One on the ledger of a home, whose processes are a group of its own and whose stories go nowhere.

    `terms` are those of the settings `LEPTON_TERM_…`, in seconds.
    """
    told = {f"LEPTON_TERM_{name.upper()}": str(seconds) for name, seconds in terms.items()}
    return subprocess.Popen(
        [sys.executable, "-c", "from lepton_ai.cli import main; main()", "worker", *words],
        env=os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_HOME": str(home), **told},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
