"""The shapes of work: jobs, and runs of training scripts."""

from __future__ import annotations

from typing import Final

from .shape import Shape

JOB: Final[Shape] = {
    "job": "text",
    "kind": "text",
    "model": "text",
    "status": "text",
    "epoch": "number",
    "pool": "text",
    "submitted": "time",
    "changed": "time",
    "message": "text",
    "version": "number?",
    "figures": {"NAME": "any"},
    "error": "text?",
    "reason": "text",
    "step": "number?",
    "warnings": "number",
    "lost_points": "number",
    "warning": "text",
    "remarks": ["text"],
    "after": ["text"],
}
CHECKPOINT: Final[Shape] = {
    "run": "text",
    "step": "number?",
    "time": "time",
    "tensors": "digest",
    "architecture?": {"NAME": "any"},
}
RUN: Final[Shape] = {
    "run": "text",
    "name": "text?",
    "model": "text",
    "status": "text",
    "tags": ["text"],
    "actor": "text",
    "started": "time",
    "heard": "time?",
    "ended": "time?",
    "resumed": ["time"],
    "error": "text?",
    "reason": "text",
    "points": "number?",
    "hyperparameters": {"NAME": "any"},
    "data?": {"NAME": "any"},
    "environment": {"NAME": "any"},
    "code": {"NAME": "any"},
    "checkpoints": [CHECKPOINT],
}
RUN_FILE: Final[Shape] = {
    "run": "text",
    "name": "text",
    "step": "number?",
    "time": "time",
    "media_type": "text",
    "bytes": "number",
    "digest": "digest",
}
CHAIN: Final[Shape] = {
    "chain": "text",
    "status": "text",
    "steps": [
        {
            "step": "text",
            "kind": "text",
            "status": "text",
            "needs": ["text"],
            "job": "text?",
            "model": "text?",
            "version": "number?",
            "reason": "text",
        }
    ],
}
CHAINS: Final[Shape] = {"chains": [CHAIN]}
TRIAL: Final[Shape] = {
    "trial": "number",
    "status": "text",
    "values?": ["number"],
    "parameters": {"NAME": "any"},
    "version": "text?",
    "error": "text?",
    "earlier": "true or false",
    "started": "time?",
    "ended": "time?",
}
_STUDY: Final[Shape] = {
    "study": "text",
    "model": "text?",
    "metrics": ["text"],
    "directions": ["text"],
    "created": "time",
    "stopped": "time?",
}
_CANDIDATE: Final[Shape] = {
    "candidate": "text",
    "reason": "text",
    "trials": "number",
    "trial": "number?",
    "figure": "number?",
    "error": "number?",
    "difference": "number?",
    "low": "number?",
    "high": "number?",
    "seconds": "number?",
    "hyperparameters?": {"NAME": "any"},
}
BUILD: Final[Shape] = {
    "model": "text",
    "version": "number",
    "study": "text",
    "task": "text",
    "label": "text?",
    "positive": "text?",
    "metric": "text",
    "better": "text",
    "rows": "number",
    "columns": "number",
    "folds": "number",
    "trials": "number",
    "seconds": "number",
    "metrics": {"NAME": "number"},
    "leaderboard": [_CANDIDATE],
    "left_out": [_CANDIDATE],
    "remarks": ["text"],
    "stopped": "true or false",
}
STUDY: Final[Shape] = {**_STUDY, "trials": [TRIAL], "best": "number?"}
STUDIES: Final[Shape] = {"studies": [{**_STUDY, "counts": {"NAME": "number"}, "best?": TRIAL}]}
STUDIES_OR_ONE: Final[Shape] = {"studies?": STUDIES["studies"], "study?": STUDY}
"""What `lepton studies` answers: all of them, or the one that was named."""
JOBS: Final[Shape] = {"jobs": [JOB]}
RUNS: Final[Shape] = {"runs": [RUN]}
CHECKPOINTS: Final[Shape] = {"checkpoints": [CHECKPOINT]}
RUN_FILES: Final[Shape] = {"files": [RUN_FILE]}
LOGGED_FILES: Final[Shape] = {"digests": ["digest"]}
PROGRESS: Final[Shape] = {"points": "number", "step": "number?"}
POINTS: Final[Shape] = {"points": "number"}
HEARD: Final[Shape] = {"open": "true or false"}
"""Whether a run is still open to who was heard of."""
