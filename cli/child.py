"""The door of a job's own process: `python -m lepton_ai.cli.child PIPE`, spawned by a worker and by nobody else."""

from __future__ import annotations

import sys

from ..tensors.address import objects_at
from ..workers import tasks as tasks
from ..workers.child import main

if __name__ == "__main__":
    main(int(sys.argv[1]), objects_at)
