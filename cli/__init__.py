"""The command line: `lepton`, a door that calls the manager and nothing behind it."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run `lepton` on this process's arguments, and exit as it ended."""
    try:
        from .app import lepton

        lepton.main(prog_name="lepton")
    except KeyboardInterrupt:  # while it was still loading
        sys.exit(130)
