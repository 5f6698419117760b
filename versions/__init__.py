"""What happens to versions: save, restore, roll back, merge, compare, suggest, history, runs, fsck.

It imports the ledger, the domain, events, models, datasets and tensors; never jobs or workers. Begin at `save.py`,
then `restore.py`; `workspace.py` holds what all of it stands on, `spool/` is for outages.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from . import feed, restore, rows, save_request, source, train, unsealed
    from .access import tokens
    from .data import drift, listing, named_data, naming
    from .evidence import against, heads, proving
    from .export import checkout, predict
    from .judging import calibrate, card, compare, diff, evaluation, gate, pick, robustness, suggest, threshold
    from .maintenance import fsck, heal
    from .moves import merge, names, rollback
    from .overview import history, summaries
    from .runs import files, record, run
    from .spool import refused
    from .suites import definition, known, running, verdicts

__all__ = [
    "against", "calibrate", "card", "checkout", "compare", "definition", "diff", "drift", "evaluation", "feed",
    "files", "fsck", "gate", "heads", "heal", "history", "known", "listing", "merge", "named_data", "names", "naming",
    "pick", "predict", "proving", "record", "refused", "restore", "robustness", "rollback", "rows", "run",
    "running", "save_request", "source", "suggest", "summaries", "threshold", "tokens", "train", "unsealed",
    "verdicts",
]  # fmt: skip
_ROOMS: Final = {
    ".access": ("tokens",),
    ".data": ("drift", "listing", "named_data", "naming"),
    ".evidence": ("against", "heads", "proving"),
    ".export": ("checkout", "predict"),
    ".judging": (
        "calibrate",
        "card",
        "compare",
        "diff",
        "evaluation",
        "gate",
        "pick",
        "robustness",
        "suggest",
        "threshold",
    ),
    ".maintenance": ("fsck", "heal"),
    ".moves": ("merge", "names", "rollback"),
    ".overview": ("history", "summaries"),
    ".runs": ("files", "record", "run"),
    ".spool": ("refused",),
    ".suites": ("definition", "known", "running", "verdicts"),
}
_WITHIN: Final = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """A module of the room, imported when it is first used: a command that only reads needs few of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{_WITHIN.get(name, '')}.{name}", __name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
