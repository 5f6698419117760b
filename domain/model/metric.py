"""A metric's direction: known by a table of names or defined by somebody, and never guessed."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, cast

from ...errors import Malformed, Refused
from ...plain import words_of

Better = Literal["higher", "lower"]

HIGHER: Final = (
    "accuracy", "acc", "acc1", "acc5", "top1", "top5", "top1_accuracy", "top5_accuracy", "balanced_accuracy",
    "precision", "recall", "sensitivity", "specificity", "npv", "ppv", "tpr", "tnr", "true_positive_rate",
    "true_negative_rate", "f1", "f2", "f0.5", "f1_score", "f_beta", "fbeta_score", "jaccard", "jaccard_score",
    "mcc", "matthews_corrcoef", "kappa", "cohen_kappa", "cohen_kappa_score",
    "auc", "auroc", "roc_auc", "roc_auc_score", "pr_auc", "auc_pr", "auprc", "average_precision", "ap", "ar", "map",
    "map50", "map75", "map50-95", "ap50", "ap75", "ks", "gini", "lift",
    "r2", "r2_score", "explained_variance", "explained_variance_score", "pearson", "pearsonr", "spearman", "spearmanr",
    "kendall", "kendalltau", "concordance", "c_index", "nse",
    "ndcg", "dcg", "mrr", "hit_rate", "iou", "miou", "mean_iou", "dice", "dice_score", "pq", "mota", "hota",
    "idf1", "psnr", "ssim", "ms_ssim", "inception_score", "bleu", "sacrebleu", "rouge", "rouge1", "rouge2", "rougel",
    "rouge_l", "rougelsum", "meteor", "chrf", "bertscore", "comet", "exact_match", "em", "win_rate",
    "log_likelihood", "elbo", "silhouette", "silhouette_score", "ari", "nmi", "ami", "v_measure", "homogeneity",
    "completeness", "calinski_harabasz", "reward", "mean_reward", "episode_reward", "sharpe", "sharpe_ratio",
    "throughput", "samples_per_second", "tokens_per_second", "demographic_parity_ratio",
)  # fmt: skip
LOWER: Final = (
    "loss", "log_loss", "cross_entropy", "cross_entropy_loss", "bce", "bce_loss", "bce_with_logits_loss", "nll",
    "nll_loss", "negative_log_likelihood", "deviance", "perplexity", "ppl", "bpc", "bpb", "bits_per_byte",
    "bits_per_character", "hinge", "hinge_loss", "focal_loss", "zero_one_loss", "hamming_loss", "box_loss", "cls_loss",
    "dfl_loss", "contrastive_loss", "triplet_loss", "kl_div_loss", "dice_loss",
    "mse", "mse_loss", "rmse", "nrmse", "rmsle", "msle", "mae", "l1_loss", "smooth_l1_loss", "medae", "mape", "smape",
    "wape", "mase", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "median_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_log_error", "max_error", "huber", "huber_loss", "log_cosh",
    "pinball", "pinball_loss", "quantile_loss", "crps", "rmsd", "ade", "fde", "epe",
    "error", "error_rate", "err", "misclassification_rate", "fpr", "fnr", "fdr", "false_positive_rate",
    "false_negative_rate", "false_discovery_rate", "far", "frr", "eer", "min_dcf",
    "brier", "brier_score", "brier_score_loss", "ece", "mce", "ace", "calibration_error", "expected_calibration_error",
    "kl", "kl_div", "kl_divergence", "js_divergence", "wasserstein", "wasserstein_distance", "emd", "mmd", "psi",
    "fid", "kid", "lpips", "wer", "cer", "mer", "ter", "edit_distance", "levenshtein", "davies_bouldin",
    "latency", "latency_ms", "latency_s", "latency_p50", "latency_p95", "latency_p99", "inference_time",
    "demographic_parity_difference", "equal_opportunity_difference", "equalized_odds_difference",
    "inference_time_ms", "regret", "cost", "expected_cost", "total_cost", "mean_cost",
)  # fmt: skip
"""The metrics whose direction is known, by the names that they go by. docs/metrics.md lists them."""

QUALIFIERS: Final = (
    "train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval", "evaluation", "held", "out",
    "holdout", "oof", "macro", "micro", "weighted", "samples", "binary", "ovr", "ovo", "mean", "avg", "average",
    "median",
)  # fmt: skip
"""Words before or behind a known name that say where or how it was averaged, and turn nothing round."""

NO_QUALITY: Final = (
    "n", "count", "rows", "classes", "support", "positives", "negatives", "threshold", "step", "epoch", "seed",
    "true_positives", "true_negatives", "false_positives", "false_negatives", "tp", "tn", "fp", "fn",
)  # fmt: skip
"""Names that tell how many there were, or where a line was drawn."""

USUAL: Final = (
    "f1", "macro_f1", "roc_auc", "accuracy", "ks", "r2", "rmse", "mse", "mae", "log_loss", "brier", "loss",
)  # fmt: skip
"""The metrics looked at where none is named, the first before the others."""

_AT: Final = re.compile(r"@\d+$|\([^()]*\)$")
_WORD: Final = re.compile(r"[\s_.:-]+")


def _spelt(name: str) -> str:
    """A name without the marks that are left out as often as written: `log-loss`, `Log Loss`, `logloss`."""
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    return [word for word in _WORD.split(name.strip().lower()) if word]


_KNOWN: Final[Mapping[str, Better]] = {
    **{_spelt(name): cast(Better, "higher") for name in HIGHER},
    **{_spelt(name): cast(Better, "lower") for name in LOWER},
}
_COUNTS: Final = frozenset(map(_spelt, NO_QUALITY))


def goodness(figure: float, better: Better) -> tuple[bool, float]:
    """What sorts figures from the worst to the best; NaN says nothing, and is worse than all that does."""
    known = not math.isnan(figure)
    return known, (figure if better == "higher" else -figure) if known else 0.0


def checked_better(given: Mapping[str, Any]) -> dict[str, Better]:
    """Directions of metrics by their names, or `Malformed`."""
    if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise Malformed(f"better is {words_of(given)}; give a mapping of metrics to 'higher' or 'lower'")
    for name, better in given.items():
        if better not in ("higher", "lower"):
            raise Malformed(f"metric {name!r} is said to be better {better!r}; say 'higher' or 'lower'")
    return {name: cast(Better, better) for name, better in given.items()}


def better_when(metric: str, defined: Mapping[str, Better] | None = None) -> Better:
    """Which way a metric is better: as it is defined, else as docs/metrics.md has it.

    An evaluation's name in front (`test/f1`), words such as `val_` and `macro_`, and `@10` or `(B)` behind turn nothing
    round; `neg_` does. Raises `Malformed` for a count or a threshold, and `Refused` for a name that nobody has defined.
    """
    forms = list(_forms(metric))
    for form in forms:
        if (better := (defined or {}).get(form)) is not None:
            return better
    words = [(turned, _spelt(form)) for form in forms for turned, form in _turns(form)]
    for turned, form in words:
        if (better := _KNOWN.get(form)) is not None:
            return better if not turned else "lower" if better == "higher" else "higher"
    if any(form in _COUNTS for _, form in words):
        raise Malformed(f"{metric!r} says how many or where, not how good; name a metric such as f1 or log_loss")
    name = metric.rpartition("/")[2] or metric
    raise Refused(
        f"nobody has said whether {name!r} is better higher or lower, so nothing is ranked by it",
        python=f"say so with better={{{name!r}: 'lower'}} where it is saved, or by define_metrics",
        cli=f"`lepton metric define MODEL {shlex.quote(name)} --better lower` says so",
    )


def _forms(metric: str) -> Iterator[str]:
    """The names that a metric may be known by, the fullest first."""
    yield metric
    parts = [part for part in metric.split("/") if part.strip()]
    while len(parts) > 1 and parts[-1].lower() in QUALIFIERS:  # TensorBoard's loss/train
        parts.pop()
    last = parts[-1] if parts else metric
    seen = {metric}
    for name in (last, _AT.sub("", last)):
        words = _words(name)
        for form in (name, *_stripped(words)):
            if form and form not in seen:
                seen.add(form)
                yield form


def _stripped(words: list[str]) -> Iterator[str]:
    """The words without the qualifiers before, behind, and around them."""
    yield "_".join(words)
    start, end = 0, len(words)
    while end - start > 1 and words[start] in QUALIFIERS:
        start += 1
        yield "_".join(words[start:end])
    while end - start > 1 and words[end - 1] in QUALIFIERS:
        end -= 1
        yield "_".join(words[start:end])
    start = 0
    while end - start > 1 and words[start] in QUALIFIERS:
        start += 1
        yield "_".join(words[start:end])


def _turns(form: str) -> Iterator[tuple[bool, str]]:
    yield False, form
    if form.lower().startswith("neg_"):
        yield True, form[4:]


def tables() -> str:
    """The tables of known names, as docs/metrics.md has them."""
    rows = (("higher", HIGHER), ("lower", LOWER), ("as without these words", QUALIFIERS), ("not at all", NO_QUALITY))
    lines = (f"| {better} | {' '.join(f'`{name}`' for name in sorted(names))} |" for better, names in rows)
    return "\n".join(("| better | names |", "| --- | --- |", *lines)) + "\n"
