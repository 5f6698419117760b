"""What a version was made with: the software and the source code, without a path, host or name."""

from __future__ import annotations

import platform
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .checkout import checkout
from .git import GitUnknown, head

_PACKAGES = ("lepton-ai-sdk", "torch", "numpy", "scikit-learn", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Python, platform, the versions of the packages that shape results, and accelerators by their kind."""
    facts = {**_software(), "packages": dict(_packages())}
    if (torch := sys.modules.get("torch")) is not None and (devices := _accelerators(torch)):
        facts["accelerators"] = list(devices)
    return facts


@lru_cache
def _software() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}


@lru_cache
def _packages() -> dict[str, str]:
    """The versions that were installed when it was first asked, which are those that a process has imported."""
    return {name: number for name in _PACKAGES if (number := installed(name))}


@lru_cache
def _accelerators(torch: Any) -> tuple[str, ...]:
    if not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count()))


def code() -> dict[str, Any]:
    """The commit of the checkout worked in, whether it is dirty, and the digest of what differs; {} outside of git.

    A file that git does not know makes it dirty too: it may be the very script that ran. Homes of ledgers do not, nor
    does what is changed within submodules. No program that the repository names is run. Git is asked again where
    anything that its answer depends on may have changed. Where git fails, refuses or takes too long, `unknown` says
    why, and what it did not tell is missing; `dirty` is then None.
    """
    facts: dict[str, Any] = {}
    try:
        if (found := checkout()) is None:
            return {}
        facts |= {"commit": None, "dirty": None}
        found.look(facts)
    except GitUnknown as error:
        if facts.get("dirty") is None:
            commit = head() if facts else None
            facts = {"commit": commit, "dirty": None} if commit else {}
        facts["unknown"] = str(error)
    return facts


def installed(name: str) -> str | None:
    """The version of a package that is installed here."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
