"""Thresholds by cost: a version that calls rows positive from the probability on that costs least."""

from __future__ import annotations

from typing import Any, cast

from ...datasets.selection import Selection
from ...domain.model.state import ModelState
from ...errors import Malformed, Refused
from ...results import Version
from ..data.named_data import rows_of
from ..rows import as_learnt, to_judge
from ..save import save
from ..save_request import Named, Save
from ..source import read, without_columns
from ..workspace import Workspace

ROLE = "thresholded"
"""What the version that was changed is to the one whose threshold is another."""


def best_threshold(
    workspace: Workspace,
    model: ModelState,
    number: int,
    data: Any,
    labels: Any,
    *,
    costs: Any,
    branch: str,
    message: str,
    chosen: Selection,
    key: str | None,
) -> Version:
    """Keep a version that differs in its threshold alone: the one that costs least on these rows.

    Its annotations tell the mean cost of a row before and after, both on these rows. Raises `Refused` where the version
    is no Lepton model with a threshold among its tensors.
    """
    import torch

    from ...datasets.tables import fingerprint
    from ...evaluation.diagnostics.costs import cost_curve
    from ...evaluation.probabilities import read_probabilities
    from ...evaluation.request import costs_of
    from ...models.corrected import uncorrected
    from ...models.model import Model

    target = to_judge(workspace, model, number)
    module = target.holder() if isinstance(target, Model) else None
    held = getattr(module, "threshold", None)
    if not isinstance(target, Model) or not isinstance(held, torch.Tensor) or held.numel() != 1:
        what = f"version {number} of {model.name} has no threshold that could be moved"
        raise Refused(what, python="decide by its probabilities where they are used", cli="decide by its probabilities")
    data, labels, _ = rows_of(workspace, data, labels)
    rows, labels = as_learnt(workspace, model, number, data, labels, chosen)
    prices = costs_of(costs)
    outcomes = target.outcomes(rows, labels)
    if outcomes.task != "binary" or outcomes.chances is None:
        raise Malformed("a threshold of least cost needs a binary classifier's probabilities; judge such a version")
    with uncorrected(target):
        own = read_probabilities(cast("Any", target).predict_proba(rows))
    own = own if own.ndim == 1 else own[:, -1]
    threshold, after = cost_curve(outcomes.truth, own, prices).best
    before = float(prices.of_rows(outcomes.truth, outcomes.called == 1).mean())
    with torch.no_grad():
        held.fill_(threshold)
    event = model.version(number).event
    request = Save(
        branch=branch,
        message=message,
        parents=(Named(str(number), number, ROLE),),
        settings={**event.settings, "threshold": threshold},
        metrics={},
        derivation={"threshold": threshold, "rows": without_columns(fingerprint(rows, labels))},
        annotations={"cost_before": before, "cost_after": after, "chosen_on": len(outcomes)},
    )
    return save(workspace, read(target, model.name), request, key)
