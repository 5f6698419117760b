"""The routes of /api/v1, a router a subject; each handler asks the manager one thing.

A route is added in the router of its subject; a new router is named in `ROUTERS` here.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from . import contests, data, judging, moves, names, position, rows, saving, stored, suites

ROUTERS: Final[tuple[APIRouter, ...]] = (
    position.router,
    saving.router,
    stored.router,
    names.router,
    moves.router,
    rows.router,
    contests.router,
    judging.router,
    suites.router,
    data.router,
)
