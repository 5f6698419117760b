"""The command line `lepton`: a door over the manager, and over the parts that its long-running processes are made of.

It may import all below; nothing imports it. Begin at `app.py`, which lists the commands by section; `session` and the
rest that all of them share are in `command.py`.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run `lepton` on this process's arguments, and exit as it ended."""
    gc.disable()  # until a ledger is opened: while modules are loaded there is nothing to collect
    # pydantic's own way to look for plugins reads the metadata of every package that is installed
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from .app import lepton

        lepton.main(prog_name="lepton")
    except KeyboardInterrupt:  # while it was still loading
        sys.exit(130)
