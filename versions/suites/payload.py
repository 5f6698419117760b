"""What a worker is told of a suite's rows: where they are, and what they must be."""

from __future__ import annotations

from typing import Any

from ...domain.job.kinds import REPORT_OPTIONS
from ...domain.names import DATA_PREFIX
from ...domain.suites.state import SuiteVersion
from ..data import named_data
from ..workspace import Workspace
from .known import opened


def evaluation_asked(workspace: Workspace, version: SuiteVersion, number: int) -> tuple[str, dict[str, Any]]:
    """Where the rows of a suite lie, empty where that is not known, and the payload of a job that judges a version."""
    event, source = version.event, ""
    told: dict[str, Any] = {"digest": event.data["digest"], "rows": event.data["rows"], "label": event.label}
    told |= event.selection
    if event.named:
        source, _, asked = named_data.asked_of_worker(workspace, f"{DATA_PREFIX}{event.named}", event.label)
        told = dict(asked["named"])
    else:
        source = opened(workspace, version).source
    payload = {
        "version": number,
        "label": event.label,
        "name": event.evaluation,
        "suite": event.suite,
        "suite_version": version.number,
        "named": told | {"name": event.suite, "version": version.number},
        **{name: value for name, value in event.report.items() if name in REPORT_OPTIONS},
    }
    return source, payload | ({"task": event.task} if event.task else {})
