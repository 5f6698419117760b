"""The SDK over HTTP runs where there is no POSIX, no database, no DuckDB and no torch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ..web.server import served

PAGE = Path(__file__).parents[2] / "docs" / "remote.md"
OPTIONAL = {"cloudpickle", "setuptools", "lepton-ai-sdk"}
"""What pyarrow and the interpreter import where it is there; and Lepton itself."""
SCRIPT = Path(__file__).with_name("slim.py")


def documented() -> list[str]:
    """The packages that docs/remote.md lists."""
    return PAGE.read_text().partition("## A slim image")[2].split("```")[1].split()


def installed(names: Iterable[str]) -> set[str]:
    """Packages, and what they install by themselves."""
    found: set[str] = set()
    waiting = [*names]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found.add(name)
            told = [each for each in requires(name) or () if "extra ==" not in each]
            waiting += [re.match(r"[\w.-]+", each)[0] for each in told if _is_here(each)]  # pyright: ignore
    return found


def _is_here(requirement: str) -> bool:
    match = re.match(r"[\w.-]+", requirement)
    try:
        return match is not None and bool(version(match[0]))
    except PackageNotFoundError:
        return False


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
    told = json.loads(ended.stdout)
    needs = {each.replace("_", "-") for each in told.pop("needs")}
    assert needs - installed(documented()) - OPTIONAL == set()
    assert told == {
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
