"""What a metric's name tells: which way is better, or that it measures no quality at all."""

from __future__ import annotations

import math
import re
from typing import Final, Literal

from ...errors import Malformed

Better = Literal["higher", "lower"]

_LOWER: Final = frozenset((
    "loss", "logloss", "error", "err", "errors", "brier", "ece", "mce", "rmse", "rmsle", "mse", "mae", "mape", "smape",
    "nll", "deviance", "perplexity", "ppl", "wer", "cer", "latency", "duration", "time", "seconds", "ms", "regret",
    "distance", "divergence", "entropy", "drift", "psi", "cost", "fpr", "fnr", "false",
))  # fmt: skip
"""Words in the names of metrics that are better lower: `val_loss`, `error_rate`, `latency_ms`, `MSELoss`."""

_NO_QUALITY: Final = frozenset((
    "n", "count", "rows", "classes", "support", "positives", "negatives", "threshold", "step", "epoch", "seed",
    "true_positives", "true_negatives", "false_positives", "false_negatives", "tp", "tn", "fp", "fn",
))  # fmt: skip
"""Names that tell how many there were, or where a line was drawn."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def goodness(figure: float, better: Better) -> tuple[bool, float]:
    """What sorts figures from the worst to the best; NaN says nothing, and is worse than all that does."""
    known = not math.isnan(figure)
    return known, (figure if better == "higher" else -figure) if known else 0.0


def better_when(metric: str) -> Better:
    """Which way a metric is better: lower for losses, errors and times, else higher; ``neg_`` turns it round.

    Raises `Malformed` for a count or a threshold: by those nothing is better than another.
    """
    if metric.lower().rpartition(".")[2] in _NO_QUALITY:
        raise Malformed(f"{metric!r} says how many or where, not how good; name a metric such as f1 or log_loss")
    words = [word.lower() for word in _WORD.findall(metric)]
    lower = not _LOWER.isdisjoint(words)
    return "lower" if lower != (words[:1] == ["neg"]) else "higher"
