"""A client in a process that has none of what a ledger needs, nor of what Windows lacks; run by test_slim.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

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
    """Have none of it from now on."""
    assert not LACKING & sys.modules.keys() - {"pwd"}, LACKING & sys.modules.keys()
    sys.modules.pop("pwd", None)  # site looks for the home of a user
    sys.meta_path.insert(0, Blocked())  # pyright: ignore[reportArgumentType]


def without_posix() -> None:
    """Have of `os` what Windows has; after the libraries that look at the system are there."""
    for name in NOT_ON_WINDOWS:
        vars(os).pop(name, None)
