"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks.

It imports nothing of ours. Begin at `answer.py`, which all of them share.
"""

from .answer import Result, plain
from .comparison import Comparison, Diff, TensorChange
from .evaluation import Evaluation, Performance
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
    "PendingVersion",
    "Performance",
    "Rehearsal",
    "Result",
    "RollbackPlan",
    "RolledBack",
    "Suggestion",
    "Synced",
    "TensorChange",
    "Verified",
    "Version",
    "VersionRecord",
    "VersionRef",
    "plain",
]
