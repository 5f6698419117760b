"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks.

It imports plain alone. Begin at `answer.py`, which all of them share: each answer describes itself once in the
words of `description.py`, and `render.py` draws that for terminals, as text and as HTML.
"""

from .answer import Result, Shown, plain
from .comparison import Comparison, Diff, TensorChange
from .evaluation import Evaluation
from .history import Log, LogEntry, ModelRecord, Models, VersionRecord
from .listing import Refs, Versions
from .performance import (
    ForecastPerformance,
    MulticlassPerformance,
    MultilabelPerformance,
    Performance,
    RankingPerformance,
    RegressionPerformance,
    SegmentationPerformance,
    SequencePerformance,
    TaskPerformance,
)
from .rollback import Rehearsal, RollbackPlan, RolledBack, Suggestion
from .standing import Synced, Verified
from .version import PendingVersion, Version, VersionRef

__all__ = [
    "Comparison",
    "Diff",
    "Evaluation",
    "ForecastPerformance",
    "Log",
    "LogEntry",
    "ModelRecord",
    "Models",
    "MulticlassPerformance",
    "MultilabelPerformance",
    "PendingVersion",
    "Performance",
    "RankingPerformance",
    "Refs",
    "RegressionPerformance",
    "Rehearsal",
    "Result",
    "RollbackPlan",
    "RolledBack",
    "SegmentationPerformance",
    "SequencePerformance",
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
