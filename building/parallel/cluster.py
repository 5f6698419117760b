"""The Ray cluster that a process may use: its address, and Ray itself."""

from __future__ import annotations

import os
from typing import Any, Final

from ..extra import needed

VARIABLE: Final = "LEPTON_RAY"
"""The variable that has its address; a worker's processes find their worker's in it."""
CAPABILITY: Final = "ray"
"""What a worker with such a cluster announces."""


def ray_address() -> str | None:
    """The address, as `ray.init` takes it; None where there is none."""
    return os.environ.get(VARIABLE) or None


def ray_package() -> Any:
    """Ray, which tells nobody of its use and uploads nothing. Raises `Refused` where it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # else `uv run` would upload the folder it runs in
    return needed("ray", extra="ray", what="a training on Ray")
