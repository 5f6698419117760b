"""The routes of /api/v1, a router a subject; each handler asks the manager one thing.

A route is added in the router of its subject; a new router is named in `ROUTERS` here.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from . import (
    asking,
    contests,
    data,
    events,
    judging,
    library,
    models,
    moves,
    names,
    position,
    proofs,
    rows,
    saving,
    stored,
    suites,
    tokens,
    versions,
)
from .work import chains, jobs, run_files, runs, studies

_SUBJECTS: Final = (
    position, asking, events, models, versions, names, moves, jobs, chains, studies, runs, run_files, saving, stored,
    rows,
    contests, judging, suites, data, library, proofs, tokens,
)  # fmt: skip
ROUTERS: Final[tuple[APIRouter, ...]] = tuple(subject.router for subject in _SUBJECTS)
