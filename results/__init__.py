"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks.

It imports plain alone. Begin at `answer.py`, which all of them share: each answer describes itself once in the
words of `description.py`, and `render.py` draws that for terminals, as text and as HTML.
"""

from .answer import Result, Shown, plain
from .comparison import Comparison
from .diff import Diff, TensorChange
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
from .report import Confusion, Curve, Report
from .rollback import Rehearsal, RollbackPlan, RolledBack, Suggestion
from .standing import Synced, Verified
from .statistics import Bin, Calibration, CostCurve, Fairness, Gap, GroupFigures, Interval, PairedTest, Slice
from .version import PendingVersion, Version, VersionRef

__all__ = [
    "Bin",
    "Calibration",
    "Comparison",
    "Confusion",
    "CostCurve",
    "Curve",
    "Diff",
    "Evaluation",
    "Fairness",
    "ForecastPerformance",
    "Gap",
    "GroupFigures",
    "Interval",
    "Log",
    "LogEntry",
    "ModelRecord",
    "Models",
    "MulticlassPerformance",
    "MultilabelPerformance",
    "PairedTest",
    "PendingVersion",
    "Performance",
    "RankingPerformance",
    "Refs",
    "RegressionPerformance",
    "Rehearsal",
    "Report",
    "Result",
    "RollbackPlan",
    "RolledBack",
    "SegmentationPerformance",
    "SequencePerformance",
    "Shown",
    "Slice",
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
