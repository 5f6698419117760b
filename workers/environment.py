"""What a version was made with: the software and the source code, without a path, host or name."""

from __future__ import annotations

import platform
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..settings import FOLDER

_PACKAGES = ("lepton-ai-sdk", "torch", "numpy", "scikit-learn", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Python, platform, the versions of the packages that shape results, and accelerators by their kind."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "packages": {name: number for name in _PACKAGES if (number := _installed(name))},
    }
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        found["accelerators"] = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return found


def code() -> dict[str, Any]:
    """The commit of the checkout worked in, whether it is dirty, and the digest of what differs; {} outside of git.

    A file that git does not know makes it dirty too: it may be the very script that ran. Homes of ledgers do not.
    """
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    changed = _git("status", "--porcelain", "--", ":/", f":(exclude,glob)**/{FOLDER}/**")
    found: dict[str, Any] = {"commit": commit.decode().strip(), "dirty": bool(changed)}
    if changed and (diff := _git("diff", "HEAD", "--no-ext-diff", "--no-color")):
        found["diff"] = f"sha256:{sha256(diff).hexdigest()}"
    return found


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(("git", *arguments), capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
