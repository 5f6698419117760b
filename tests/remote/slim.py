"""What a slim client does: `python -m tests.remote.slim URL`, in a process that has none of what a ledger needs.

It prints what it found as JSON; `test_slim.py` compares.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

LACKING = frozenset((
    "fcntl", "pwd", "grp", "resource", "sqlalchemy", "alembic", "duckdb", "torch", "scipy", "sklearn", "pandas",
    "uvicorn", "fastapi", "starlette",
))  # fmt: skip
NOT_ON_WINDOWS = (
    "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "geteuid", "getegid", "getgroups", "pread",
    "preadv", "pwrite", "writev", "register_at_fork",
)  # fmt: skip


class Blocked:
    """A finder before all others that finds none of what is lacking."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if name.partition(".")[0] in LACKING:
            raise ImportError(f"{name} is not here")
        return None


def lack() -> None:
    """Have none of it from now on, and of `os` what Windows has."""
    for name in [each for each in sys.modules if each.partition(".")[0] in LACKING]:
        del sys.modules[name]
    sys.meta_path.insert(0, Blocked())  # pyright: ignore[reportArgumentType]
    import httpx  # looks at the system when it is imported, as others do below it
    import numpy as np
    import pyarrow as pa
    import uuid_utils

    del httpx, np, pa, uuid_utils
    for name in NOT_ON_WINDOWS:
        vars(os).pop(name, None)


def packages() -> list[str]:
    """The packages of which anything was imported."""
    from importlib.metadata import packages_distributions

    known = packages_distributions()
    return sorted({known[top][0].lower() for top in {each.partition(".")[0] for each in sys.modules} if top in known})


def worked(url: str, away: str) -> dict[str, Any]:
    """What there was to be found."""
    import numpy as np

    from lepton_ai import ModelManager

    manager = ModelManager(url)
    first = manager.save_version({"w": np.arange(300_000, dtype=np.float32)}, name="slim", metrics={"f1": 0.5})
    with manager.run("slim", hyperparameters={"rate": 0.1}) as run:
        for step in range(3):
            run.log({"loss": 1.0 / (step + 1)}, step=step)
        second = run.save({"w": np.arange(300_000, dtype=np.float32) + 1}, metrics={"f1": 0.75})
    plan = manager.rollback(first, dry_run=True)
    back = manager.rollback(first, reason="slim")
    table: Any = manager.sql("SELECT version FROM versions WHERE model = 'slim' ORDER BY version")
    spooling = ModelManager(away)
    pending = spooling.save_version({"w": np.zeros(3)}, name="spooled")
    return {
        "arrays": [float(manager.load_arrays(each)["w"][1]) for each in (first, second)],
        "run": manager.show_run(run.id).points,
        "plan": type(plan).__name__,
        "head": int(manager.show("slim@main").version),
        "back": type(back).__name__,
        "sql": table.column("version").to_pylist(),
        "find": [int(each) for each in manager.find("metric.f1 > 0.6")],
        "jobs": len(manager.jobs.recent()),
        "events": sum(1 for _ in manager.events()) > 0,
        "pending": type(pending).__name__,
        "needs": packages(),
        "loaded": sorted(LACKING & {each.partition(".")[0] for each in sys.modules}),
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    lack()
    print(json.dumps(worked(*sys.argv[1:])))
