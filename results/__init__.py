"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks.

It imports plain alone. Begin at `answer.py`, which all of them share.
"""

from .answer import Result, plain
from .comparison import Comparison, Diff, TensorChange
from .evaluation import (
    Evaluation,
    MulticlassPerformance,
    Performance,
    RegressionPerformance,
    TaskPerformance,
)
from .history import Log, LogEntry, ModelRecord, VersionRecord
from .rollback import Rehearsal, RollbackPlan, RolledBack, Suggestion
from .standing import Synced, Verified
from .version import PendingVersion, Version, VersionRef

__all__ = [
    "Comparison",
    "Diff",
    "Evaluation",
    "Log",
    "LogEntry",
    "ModelRecord",
    "MulticlassPerformance",
    "PendingVersion",
    "Performance",
    "RegressionPerformance",
    "Rehearsal",
    "Result",
    "RollbackPlan",
    "RolledBack",
    "Suggestion",
    "Synced",
    "TaskPerformance",
    "TensorChange",
    "Verified",
    "Version",
    "VersionRecord",
    "VersionRef",
    "plain",
]
