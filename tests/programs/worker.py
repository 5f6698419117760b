"""A worker's process for the tests: `worker.py HOME SLOTS`, whose jobs are `light_work`; it says its name first."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

from lepton_ai import settings
from lepton_ai.cli.work.signals import stopping
from lepton_ai.wiring import Home

sys.path.append(str(Path(__file__).parent))
import light_work as light_work

if __name__ == "__main__":
    stop = Event()
    home = Home(settings.load(sys.argv[1], actor="worker"))
    environment = {"PYTHONPATH": str(Path(__file__).parent)}
    post = home.workplace.post(slots=int(sys.argv[2]))
    print(post.incarnation, flush=True)
    with stopping(stop):
        home.workplace.worker(replace(post, program="light_work", environment=environment)).run(stop)
    home.close()
