"""A disk that is full or broken at any write, sync, rename or create, below a process that goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lepton_ai import ModelManager

from ..programs.full_disk import weights
from ..servers import NotHere

TITLE: Final = "ENOSPC and EIO at the k-th write, sync, rename or create of save, rollback, run, rebuild and lock"
MOST: Final = 60
"""Calls of one kind of work that are made to fail, one a time."""
SECONDS: Final = 600.0


def shim(folder: Path) -> Path:
    """The preloaded library, compiled. `NotHere` where there is no compiler or no preloading."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise NotHere("a failing disk needs Linux and a C compiler")
    made = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run((compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl", "-lpthread"), check=True)
    return made


def suffer(seed: int, say: Callable[[str], None], most: int = MOST) -> None:
    """Nothing acknowledged is lost, every error is one of Lepton's, and the same process goes on well after each."""
    with tempfile.TemporaryDirectory(prefix="lepton-disk-") as name:
        folder = Path(name)
        home = folder / "home"
        env = os.environ | {"LD_PRELOAD": str(shim(folder)), "LEPTON_WAIT": "5", "PYTHONSAFEPATH": ""}
        program = (sys.executable, "-m", "tests.programs.full_disk", str(home), str(seed), str(most))
        root = Path(__file__).parents[2]
        done = subprocess.run(program, env=env, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        told = json.loads(done.stdout.splitlines()[-1])
        say(f"outcomes {told['seen']}; {len(told['acknowledged'])} saves acknowledged")
        assert not told["faults"], f"{len(told['faults'])} faults, the first: {told['faults'][0]}"
        with ModelManager(home) as manager:
            assert manager.fsck() == []
            kept = _kept(manager)
        missing = set(told["acknowledged"]) - set(kept)
        assert not missing, f"saves {sorted(missing)[:10]} were acknowledged and are not there"
        assert len(kept) == len(set(kept)), "a save is there twice"


def _kept(manager: ModelManager) -> list[int]:
    """What the versions hold, by the number that each save wrote."""
    versions = manager.sql("SELECT version FROM versions ORDER BY version")["version"].to_pylist()
    found = [manager.load_arrays(f"net@{version}") for version in versions]
    for each in found:
        assert each["base"].tobytes() == weights(0)["base"].tobytes()
    return [int(each["own"][0]) for each in found]
