"""What a version was made with: the software and the source code, without a path, host or name."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .settings import FOLDER

_ALONE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "status.submoduleSummary=false",
)
"""What git is told, whatever the repository says."""
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # a partial clone would fetch what it lacks, by whatever program its remote names
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES")
"""Of git's own settings in the environment, those that say where it looks."""
_PACKAGES = ("lepton-ai-sdk", "torch", "numpy", "scikit-learn", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Python, platform, the versions of the packages that shape results, and accelerators by their kind."""
    facts: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "packages": {name: number for name in _PACKAGES if (number := _installed(name))},
    }
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        facts["accelerators"] = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return facts


def code() -> dict[str, Any]:
    """The commit of the checkout worked in, whether it is dirty, and the digest of what differs; {} outside of git.

    A file that git does not know makes it dirty too: it may be the very script that ran. Homes of ledgers do not, nor
    does what is changed within submodules. No program that the repository names is run.
    """
    commit = _git("rev-parse", "HEAD")
    if not commit or (silenced := _silenced_filters()) is None:
        return {}
    look = ("--porcelain", "--ignore-submodules=dirty", "--", ":/", f":(exclude,glob)**/{FOLDER}/**")
    changed = _git("status", *look, settings=silenced)
    facts: dict[str, Any] = {"commit": commit.decode().strip(), "dirty": bool(changed)}
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short", "--ignore-submodules=dirty")
    if changed and (diff := _git("diff", "HEAD", *plain, settings=silenced)):
        facts["diff"] = f"sha256:{sha256(diff).hexdigest()}"
    return facts


def _silenced_filters() -> tuple[str, ...] | None:
    """Settings that leave out every filter of contents that git is configured to run; None where one cannot be named.

    Files that a filter would have rewritten, such as git-lfs's, are compared as they are then.
    """
    output = _git("config", "-z", "--name-only", "--get-regexp", r"^filter\.").decode("utf-8", "surrogateescape")
    names = {key.rpartition(".")[0] for key in output.split("\0") if key}
    if any("=" in name for name in names):
        return None
    return tuple(f"{name}.{each}" for name in sorted(names) for each in ("clean=", "process=", "required=false"))


def _git(*arguments: str, settings: tuple[str, ...] = ()) -> bytes:
    """What git says while it runs nothing else: no monitor, hook, pager or transport; b"" where it fails."""
    given = [word for setting in (*_ALONE, *settings) for word in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _PLACES}
    path = os.pathsep.join(each for each in kept.get("PATH", "").split(os.pathsep) if Path(each).is_absolute())
    if (program := shutil.which("git", path=path)) is None:
        return b""
    try:
        done = subprocess.run(
            (program, "--no-pager", *given, *arguments),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=10,
            check=False,
            env=kept | {"PATH": path} | _QUIET,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
