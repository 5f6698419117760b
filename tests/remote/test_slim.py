"""The SDK over HTTP runs where there is no POSIX, no database, no DuckDB and no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..web.server import served

SCRIPT = Path(__file__).with_name("slim.py")


def test_a_slim_client_needs_nothing_of_a_ledgers_libraries(tmp_path: Path) -> None:
    environment = {**os.environ, "LEPTON_SPOOL": str(tmp_path / "spool"), "LEPTON_WAIT": "5", "LEPTON_LANG": "en"}
    with served(tmp_path / "home") as server:
        ended = subprocess.run(
            [sys.executable, str(SCRIPT), server.url, "http://127.0.0.1:9"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert json.loads(ended.stdout) == {
        "arrays": [1.0, 2.0],
        "run": 3,
        "plan": "RollbackPlan",
        "head": 1,
        "back": "RolledBack",
        "sql": [1, 2],
        "find": [2],
        "jobs": 0,
        "events": True,
        "pending": "PendingVersion",
        "loaded": [],
    }
