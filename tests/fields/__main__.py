"""`make fields`: the tasks in turn, or those that TASKS names; the page has all that were measured here."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Final

from lepton_ai import DataWarning

from .judged import Desk, FieldTask, Row, judged
from .page import PAGE, TASKS, page

KEPT: Final = Path(".fields")
"""What was measured, a file a task."""


def measured(name: str, task: FieldTask) -> Row:
    """A task's line."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        pair = task.run(Desk(Path(folder) / "home", lambda line: print(line, flush=True)))
    return judged(name, task, pair, time.monotonic() - begun)


def main() -> int:
    """TASKS="credit risk" measures only those."""
    chosen = os.environ.get("TASKS", "").split() or list(TASKS)
    if unknown := [name for name in chosen if name not in TASKS]:
        print(f"there is no task {unknown[0]!r}; there are {', '.join(TASKS)}", file=sys.stderr)
        return 2
    KEPT.mkdir(exist_ok=True)
    warnings.simplefilter("ignore", DataWarning)
    for name in chosen:
        print(f"{name}: {TASKS[name].title}", flush=True)
        row = measured(name, TASKS[name])
        (KEPT / f"{name}.json").write_text(json.dumps(row._asdict()))
        print(f"  {row.figure} {row.ours:.4f}, baseline {row.baseline:.4f}, {row.seconds:.0f} s", flush=True)
    kept = {name: path for name in TASKS if (path := KEPT / f"{name}.json").exists()}
    rows = {name: Row(**json.loads(path.read_text())) for name, path in kept.items()}
    PAGE.write_text(page(rows))
    below = [name for name, row in rows.items() if not row.holds]
    lacking = [name for name in TASKS if name not in rows]
    print(f"{len(rows)} tasks in {PAGE.name}; below their baseline: {', '.join(below) or 'none'}")
    print(f"not measured yet: {', '.join(lacking) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
