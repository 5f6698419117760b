"""A process that writes to a home until its stdin ends: `home_writer.py HOME FILE`; FILE gets each acknowledged key."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from uuid import uuid4

from lepton_ai.errors import LeptonError
from lepton_ai.settings import load
from lepton_ai.wiring import Home
from tests.asking import note

if __name__ == "__main__":
    home, told = Home(load(sys.argv[1], actor="writer")), Path(sys.argv[2])
    work, key, number = home.workspace, str(uuid4()), 0
    with told.open("a") as file:
        print("# begun", file=file, flush=True)
        while not select.select([sys.stdin], [], [], 0.002)[0]:
            try:
                work.ledger.admit(note(f"{key} {number}"), work.actors.named("writer"), key=key)
                file.write(f"{key} {os.getpid()}\n")
                key, number = str(uuid4()), number + 1
            except LeptonError as error:  # asked again under the same key
                file.write(f"# {type(error).__name__} {os.getpid()} {error}\n")
            file.flush()
    home.close()
