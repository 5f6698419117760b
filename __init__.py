"""Lepton: the ledger that keeps every version of every model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .errors import (
        Damaged,
        DataWarning,
        GateNotMet,
        LeptonError,
        NotInPast,
        Refused,
        Stale,
        Unavailable,
        UnknownRevision,
    )
    from .evaluation.own.metrics import metric
    from .evidence.proof import verify_proof
    from .integrations.loop import autolog
    from .manager import ModelManager
    from .models.registry import register
    from .results import LastMove, PendingVersion, Performance, Version

_HOMES: Final = {
    "Damaged": ".errors",
    "DataWarning": ".errors",
    "GateNotMet": ".errors",
    "LeptonError": ".errors",
    "LastMove": ".results",
    "ModelManager": ".manager",
    "NotInPast": ".errors",
    "PendingVersion": ".results",
    "Performance": ".results",
    "Refused": ".errors",
    "Stale": ".errors",
    "Unavailable": ".errors",
    "UnknownRevision": ".errors",
    "Version": ".results",
    "autolog": ".integrations.loop",
    "metric": ".evaluation.own.metrics",
    "register": ".models.registry",
    "verify_proof": ".evidence.proof",
}

__version__: str
"""The version of the distribution `lepton-ai-sdk`, as `lepton --version` has it."""

__all__ = [
    "Damaged",
    "DataWarning",
    "GateNotMet",
    "LastMove",
    "LeptonError",
    "ModelManager",
    "NotInPast",
    "PendingVersion",
    "Performance",
    "Refused",
    "Stale",
    "Unavailable",
    "UnknownRevision",
    "Version",
    "__version__",
    "autolog",
    "metric",
    "register",
    "verify_proof",
]


def __getattr__(name: str) -> Any:
    """Open a room only when something in it is asked for: `import lepton_ai` stays cheap."""
    if name == "__version__":
        from importlib.metadata import version

        return version("lepton-ai-sdk")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
