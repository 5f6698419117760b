"""The frozen answers that Lepton gives: a line for people, a dictionary for programs, HTML for notebooks.

It imports plain alone. Begin at `answer.py`, which all of them share: each answer describes itself once in the
words of `description.py`, and `render.py` draws that for terminals, as text and as HTML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .answer import Result, Shown, plain
    from .contests.comparison import Comparison
    from .contests.contest import Contest
    from .contests.diff import Diff, TensorChange
    from .contests.effect import Effect
    from .contests.pick import LeftOut, Pick
    from .data.drift import ColumnDrift, Drift
    from .data.named import ColumnProfile, DataSets, NamedData
    from .judging.evaluation import Evaluation
    from .judging.gate import Gate, GateRequirement, Protection, Protections
    from .judging.performance import (
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
    from .judging.report import ByClass, Confusion, Curve, Report, Series
    from .judging.robustness import PerturbedFigure, Robustness
    from .judging.statistics import (
        Bin,
        Calibration,
        CostCurve,
        Fairness,
        Gap,
        GroupFigures,
        Interval,
        PairedTest,
        Slice,
    )
    from .judging.suites import SuiteRecord, SuiteRun, Suites, SuiteVerdict
    from .last_move import LastMove
    from .library import HyperparameterRecord, Library, LibraryEntry
    from .listing import Refs, Versions
    from .maintenance.damages import Damages
    from .maintenance.evidence import Proof, Proved, SignedHead
    from .maintenance.healed import Healed, HealedPack
    from .maintenance.kept import RefusedSave, RefusedSaves
    from .maintenance.standing import Synced, Verified
    from .maintenance.status import JobCounts, Spooled, Status, StrangerRecords, TopicStatus, Views
    from .maintenance.upgraded import Upgraded
    from .pages.card import Card, JudgedRows
    from .past.history import Log, LogEntry, ModelRecord, Models, VersionRecord, VersionSummaries, VersionSummary
    from .past.rollback import Rehearsal, RollbackPlan, RolledBack, Suggestion
    from .tokens import CreatedToken, TokenRecord, Tokens
    from .version import PendingVersion, Version, VersionRef
    from .work.builds import BuildRecord, CandidateRecord
    from .work.chains import ChainRecord, ChainRecords, ChainStep
    from .work.jobs import JobRecord, JobRecords
    from .work.run_files import RunFileRecord, RunFileRecords
    from .work.runs import CheckpointRecord, CheckpointRecords, RunRecord, RunRecords
    from .work.studies import StudyRecord, StudySummaries, StudySummary, TrialRecord

__all__ = [
    "Bin",
    "BuildRecord",
    "ByClass",
    "Calibration",
    "CandidateRecord",
    "Card",
    "ChainRecord",
    "ChainRecords",
    "ChainStep",
    "CheckpointRecord",
    "CheckpointRecords",
    "ColumnDrift",
    "ColumnProfile",
    "Comparison",
    "Confusion",
    "Contest",
    "CostCurve",
    "CreatedToken",
    "Curve",
    "Damages",
    "DataSets",
    "Diff",
    "Drift",
    "Effect",
    "Evaluation",
    "Fairness",
    "ForecastPerformance",
    "Gap",
    "Gate",
    "GateRequirement",
    "GroupFigures",
    "Healed",
    "HealedPack",
    "HyperparameterRecord",
    "Interval",
    "JobCounts",
    "JobRecord",
    "JobRecords",
    "JudgedRows",
    "LastMove",
    "LeftOut",
    "Library",
    "LibraryEntry",
    "Log",
    "LogEntry",
    "ModelRecord",
    "Models",
    "MulticlassPerformance",
    "MultilabelPerformance",
    "NamedData",
    "PairedTest",
    "PendingVersion",
    "Performance",
    "PerturbedFigure",
    "Pick",
    "Proof",
    "Protection",
    "Protections",
    "Proved",
    "RankingPerformance",
    "Refs",
    "RefusedSave",
    "RefusedSaves",
    "RegressionPerformance",
    "Rehearsal",
    "Report",
    "Result",
    "Robustness",
    "RollbackPlan",
    "RolledBack",
    "RunFileRecord",
    "RunFileRecords",
    "RunRecord",
    "RunRecords",
    "SegmentationPerformance",
    "SequencePerformance",
    "Series",
    "Shown",
    "SignedHead",
    "Slice",
    "Spooled",
    "Status",
    "StrangerRecords",
    "StudyRecord",
    "StudySummaries",
    "StudySummary",
    "Suggestion",
    "SuiteRecord",
    "SuiteRun",
    "SuiteVerdict",
    "Suites",
    "Synced",
    "TaskPerformance",
    "TensorChange",
    "TokenRecord",
    "Tokens",
    "TopicStatus",
    "TrialRecord",
    "Upgraded",
    "Verified",
    "Version",
    "VersionRecord",
    "VersionRef",
    "VersionSummaries",
    "VersionSummary",
    "Versions",
    "Views",
    "plain",
]

_HOMES: Final = {
    ".answer": (
        "Result",
        "Shown",
        "plain",
    ),
    ".data.drift": (
        "ColumnDrift",
        "Drift",
    ),
    ".data.named": (
        "ColumnProfile",
        "DataSets",
        "NamedData",
    ),
    ".contests.diff": (
        "Diff",
        "TensorChange",
    ),
    ".contests.comparison": ("Comparison",),
    ".contests.contest": ("Contest",),
    ".contests.effect": ("Effect",),
    ".pages.card": ("Card", "JudgedRows"),
    ".contests.pick": ("LeftOut", "Pick"),
    ".judging.evaluation": ("Evaluation",),
    ".judging.gate": ("Gate", "GateRequirement", "Protection", "Protections"),
    ".past.history": (
        "Log",
        "LogEntry",
        "ModelRecord",
        "Models",
        "VersionRecord",
        "VersionSummaries",
        "VersionSummary",
    ),
    ".last_move": ("LastMove",),
    ".library": ("HyperparameterRecord", "Library", "LibraryEntry"),
    ".listing": (
        "Refs",
        "Versions",
    ),
    ".judging.performance": (
        "ForecastPerformance",
        "MulticlassPerformance",
        "MultilabelPerformance",
        "Performance",
        "RankingPerformance",
        "RegressionPerformance",
        "SegmentationPerformance",
        "SequencePerformance",
        "TaskPerformance",
    ),
    ".judging.report": (
        "ByClass",
        "Confusion",
        "Curve",
        "Report",
        "Series",
    ),
    ".judging.robustness": (
        "PerturbedFigure",
        "Robustness",
    ),
    ".past.rollback": (
        "Rehearsal",
        "RollbackPlan",
        "RolledBack",
        "Suggestion",
    ),
    ".judging.suites": (
        "SuiteRecord",
        "SuiteRun",
        "SuiteVerdict",
        "Suites",
    ),
    ".tokens": ("CreatedToken", "TokenRecord", "Tokens"),
    ".maintenance.standing": (
        "Synced",
        "Verified",
    ),
    ".judging.statistics": (
        "Bin",
        "Calibration",
        "CostCurve",
        "Fairness",
        "Gap",
        "GroupFigures",
        "Interval",
        "PairedTest",
        "Slice",
    ),
    ".work.chains": ("ChainRecord", "ChainRecords", "ChainStep"),
    ".work.jobs": ("JobRecord", "JobRecords"),
    ".work.run_files": ("RunFileRecord", "RunFileRecords"),
    ".work.runs": ("CheckpointRecord", "CheckpointRecords", "RunRecord", "RunRecords"),
    ".work.builds": ("BuildRecord", "CandidateRecord"),
    ".work.studies": ("StudyRecord", "StudySummaries", "StudySummary", "TrialRecord"),
    ".maintenance.status": ("JobCounts", "Spooled", "Status", "StrangerRecords", "TopicStatus", "Views"),
    ".maintenance.healed": ("Healed", "HealedPack"),
    ".maintenance.damages": ("Damages",),
    ".maintenance.evidence": ("Proof", "Proved", "SignedHead"),
    ".maintenance.upgraded": ("Upgraded",),
    ".maintenance.kept": ("RefusedSave", "RefusedSaves"),
    ".version": (
        "PendingVersion",
        "Version",
        "VersionRef",
    ),
}


def __getattr__(name: str) -> Any:
    """An answer's class, imported when it is first used: a command shows few of them."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
