"""The shapes that have a name of their own in OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import data, figures, history, judging, ledger, library, names, tokens, versions, work
from .shape import Shape

NAMED: Final[Mapping[str, Shape]] = {
    "Checkpoint": work.CHECKPOINT,
    "Column": data.COLUMN,
    "Comparison": versions.COMPARISON,
    "Contest": figures.CONTEST,
    "Data": data.DATA,
    "Diff": versions.DIFF,
    "Drift": data.DRIFT,
    "Card": judging.CARD,
    "Evaluation": judging.EVALUATION,
    "Event": history.EVENT,
    "Gate": judging.GATE,
    "Hyperparameter": library.HYPERPARAMETER,
    "Job": work.JOB,
    "LibraryEntry": library.ENTRY,
    "Log": history.LOG,
    "LogEntry": history.ENTRY,
    "Model": history.MODEL,
    "PairedTest": figures.TEST,
    "Name": names.NAME,
    "Parent": names.PARENT,
    "Pick": versions.PICK,
    "Protection": names.PROTECTION,
    "Rehearsal": versions.REHEARSAL,
    "Report": judging.REPORT,
    "Performance": judging.PERFORMANCE,
    "Requirement": judging.REQUIREMENT,
    "Robustness": judging.ROBUSTNESS,
    "RolledBack": versions.DONE,
    "RollbackPlan": versions.PLAN,
    "Rows": figures.ROWS,
    "Run": work.RUN,
    "RunFile": work.RUN_FILE,
    "SentRows": data.SENT,
    "Status": ledger.STATUS,
    "Suggestion": versions.SUGGESTION,
    "Suite": judging.SUITE,
    "SuiteRun": judging.SUITE_RUN,
    "SuiteVerdict": judging.VERDICT,
    "Table": ledger.TABLE,
    "Tensor": history.TENSOR,
    "Token": tokens.TOKEN,
    "Verified": ledger.VERIFIED,
    "Version": names.VERSION,
    "VersionSummary": history.SUMMARY,
    "VersionRecord": history.VERSION_RECORD,
}
"""Each by its name; a shape that holds one refers to it."""
