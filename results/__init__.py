"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks.

It imports plain alone. Begin at `answer.py`, which all of them share: each answer describes itself once in the
words of `description.py`, and `render.py` draws that for terminals, as text and as HTML.
"""

from .answer import Result, Shown, plain
from .comparison import Comparison
from .diff import Diff, TensorChange
from .evaluation import Evaluation, MulticlassPerformance, Performance, RegressionPerformance, TaskPerformance
from .history import Log, LogEntry, ModelRecord, Models, VersionRecord
from .listing import Refs, Versions
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
    "Models",
    "MulticlassPerformance",
    "PendingVersion",
    "Performance",
    "Refs",
    "RegressionPerformance",
    "Rehearsal",
    "Result",
    "RollbackPlan",
    "RolledBack",
    "Shown",
    "Suggestion",
    "Synced",
    "TaskPerformance",
    "TensorChange",
    "Verified",
    "Version",
    "VersionRecord",
    "VersionRef",
    "Versions",
    "plain",
]
