"""The routes of /api/v1, a router a subject; each handler asks the manager one thing.

A route is added in the router of its subject; a new router is named in `ROUTERS` here.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from . import contests, data, jobs, judging, models, position, rows, runs, saving, stored, suites, versions

ROUTERS: Final[tuple[APIRouter, ...]] = (
    contests.router,
    data.router,
    jobs.router,
    judging.router,
    models.router,
    position.router,
    rows.router,
    runs.router,
    saving.router,
    stored.router,
    suites.router,
    versions.router,
)
