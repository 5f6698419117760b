"""Calibrating: a version whose probabilities are corrected on labelled rows, with the same parameters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ...datasets.selection import Selection
from ...domain.model.state import ModelState
from ...errors import DataWarning, Refused
from ...events.model import VersionCommitted
from ...results import Version
from ..data.named_data import rows_of
from ..deltas import graph_of
from ..restore import verified_event
from ..rows import as_learnt, to_judge
from ..save import save
from ..save_request import Named, Save
from ..source import Subject, without_columns
from ..workspace import Workspace

ROLE = "calibrated"
"""What the version that was corrected is to the one that corrects it."""


def calibrate(
    workspace: Workspace,
    model: ModelState,
    number: int,
    data: Any,
    labels: Any,
    *,
    method: str,
    branch: str,
    message: str,
    chosen: Selection,
    key: str | None,
) -> Version:
    """Keep a version whose probabilities are those of another, corrected on these rows.

    No byte of its parameters is written again: the correction stands in its settings. Raises `Refused` where the
    version's class gives no probabilities that Lepton could correct.
    """
    from ...datasets.tables import fingerprint
    from ...evaluation.answers.corrections import Fitted, fitted, with_correction
    from ...models.model import Model

    target = to_judge(workspace, model, number)
    if not isinstance(target, Model) or not callable(getattr(target, "predict_proba", None)):
        what = f"version {number} of {model.name} is no Lepton model that gives probabilities, so none can be corrected"
        raise Refused(what, python="give its class a predict_proba(data), or correct them where they are used")
    data, labels, _ = rows_of(workspace, data, labels)
    data, labels = as_learnt(workspace, model, number, data, labels, chosen)
    rows = fingerprint(data, labels)
    event = verified_event(workspace, model, number)
    _warn_of_learnt_rows(event, rows, number)
    found: Fitted = fitted(target.outcomes(data, labels), method)
    subject = Subject(
        name=model.name,
        named=True,
        tensors=workspace.vault.stored(event.tensors, graph_of(model, event.tensors)),
        architecture=event.architecture,
        hyperparameters=event.hyperparameters,
        settings=with_correction(event.settings, found.correction),
        data=event.data,
    )
    request = Save(
        branch=branch,
        message=message,
        parents=(Named(str(number), number, ROLE),),
        derivation={"calibrate": method, "rows": without_columns(rows)},
        annotations={"ece_before": found.before, "ece_after": found.after, "calibrated_on": found.rows},
    )
    return save(workspace, subject, request, key)


def _warn_of_learnt_rows(event: VersionCommitted, rows: Mapping[str, Any], number: int) -> None:
    if (event.data or {}).get("digest") == rows["digest"]:
        warnings.warn(
            f"version {number} learnt from these rows, and is surer of them than of others; calibrate it on rows that "
            "it never saw",
            DataWarning,
            stacklevel=3,
        )
