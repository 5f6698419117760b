"""Reports and outcomes that are none, as a worker may keep them: damage in a sentence, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from lepton_ai import Damaged, ModelManager
from lepton_ai.domain.commands import RecordEvaluation
from lepton_ai.evaluation.judgement import REPORT
from lepton_ai.models.state import tensors_of
from lepton_ai.results import Report
from lepton_ai.tensors.graph import Graph
from lepton_ai.versions.judging.evaluation import kept_outcomes, kept_reports
from lepton_ai.versions.save import placed, stored, told_ahead

ROWS = {"digest": f"blake3:{'c' * 64}", "rows": 40}
TRUTH = np.arange(40) % 2
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> ModelManager:
    """Two versions, of which the first keeps a report and outcomes of its own."""
    manager = ModelManager(tmp_path_factory.mktemp("home"), actor="ada")
    for value in (1, 2):
        manager.save_version({"w": np.full(3, value, np.float32)}, name="net")
    manager.evaluate_predictions("net@1", TRUTH[::-1], TRUTH, name="own", task="binary", draws=0)
    tell(manager, 1, outcomes())
    return manager


def tell(manager: ModelManager, version: int, arrays: Mapping[str, Any]) -> None:
    """An evaluation whose bytes are these arrays, as a worker tells it."""
    workspace = manager._workspace
    kept = workspace.vault_to_save().keep(tensors_of(arrays), base=None, graph=Graph({}, ()))
    command = RecordEvaluation(
        model="net",
        version=version,
        data=ROWS,
        name="test",
        metrics={"f1": 0.5},
        task="binary",
        report=kept.manifest.digest,
        stored=told_ahead(stored(kept), lambda page: workspace.admit(page, None)),
    )
    workspace.admit(command, None, placed(kept))


def told(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def outcomes(about: Mapping[str, Any] | str = "", **arrays: Any) -> dict[str, Any]:
    """Outcomes of 40 rows, changed;"""
    usual = {"task": "binary", "classes": [0, 1], "threshold": None, "block": None, "stratified": False}
    text = about if isinstance(about, str) and about else json.dumps(usual | dict(about or {}))
    return {"truth": TRUTH.astype(np.uint8), "called": TRUTH[::-1].astype(np.uint8), "about": told(text), **arrays}


def report(**parts: Any) -> dict[str, Any]:
    """A report with some parts changed."""
    whole = {
        "task": "regression",
        "performance": {"task": "regression", "mae": 1.0, "mse": 1.0, "rmse": 1.0, "r2": 0.5, "n": 3},
        "intervals": {},
        "method": "rows",
        "draws": 0,
        "seed": 0,
    }
    return {REPORT: told(json.dumps(whole | parts))}


REPORTS: dict[str, Mapping[str, Any]] = {
    "none": {"x": told("{}")},
    "deep": {REPORT: told(DEEP)},
    "beyond floats": report(own={"f1": 10**400}),
    "no figures": report(performance=None),
    "curve": report(curves={"roc": {"x": [0.0, 1.0], "y": [1.0]}}),
    "confusion": report(confusion={"classes": ["a"], "counts": [[1, 2], [3]]}),
    "series": report(series={"places": [1.0], "truth": [], "forecast": [1.0, 2.0]}),
    "costs": report(costs={"thresholds": [1.0], "costs": []}),
}
OUTCOMES: dict[str, Mapping[str, Any]] = {
    "no about": {"truth": TRUTH, "called": TRUTH},
    "deep": outcomes(DEEP),
    "no task": outcomes({"task": "guess"}),
    "fewer calls": outcomes(called=np.zeros(9, np.uint8)),
    "two columns": outcomes(truth=np.zeros((40, 2), np.uint8), called=np.zeros((40, 2), np.uint8)),
    "no rows": outcomes(truth=np.zeros(0, np.uint8), called=np.zeros(0, np.uint8)),
    "NaN": outcomes(called=np.full(40, np.nan)),
    "codes": outcomes({"task": "multiclass", "classes": ["a"]}),
    "complex": outcomes(called=np.zeros(40, np.complex64)),
    "chances": outcomes(chances=np.zeros((40, 3))),
    "groups": outcomes(groups=np.arange(3)),
    "ends": outcomes(ends=np.zeros(40)),
    "threshold": outcomes({"threshold": "high"}),
}


@pytest.mark.parametrize("arrays", REPORTS.values(), ids=REPORTS)
def test_what_is_no_report_is_damage(manager: ModelManager, arrays: Mapping[str, Any]) -> None:
    tell(manager, 2, arrays)

    with pytest.raises(Damaged, match="of an evaluation is damaged: expected"):
        manager.report("net@2", "test")


@pytest.mark.parametrize("arrays", OUTCOMES.values(), ids=OUTCOMES)
def test_what_are_no_outcomes_is_damage(manager: ModelManager, arrays: Mapping[str, Any]) -> None:
    tell(manager, 2, arrays)

    model = manager._workspace.model("net")
    (kept,) = kept_reports(model, 2)
    assert kept.rows is not None
    with pytest.raises(Damaged, match="of an evaluation"):
        kept_outcomes(manager._workspace, model, 2, kept.rows)
    assert manager.compare("net@1", "net@2", metric="f1").untested
    assert manager.diff("net@1", "net@2").test is None
    assert manager.suggest_rollback(model="net", metric="f1")


def test_the_manifest_of_a_version_is_no_report(manager: ModelManager) -> None:
    parameters = manager._workspace.model("net").version(1).event.tensors
    command = RecordEvaluation(
        model="net", version=2, data=ROWS, name="test", metrics={"f1": 0.5}, task="binary", report=parameters
    )
    manager._workspace.admit(command, None)

    with pytest.raises(Damaged, match="expected an array 'report', found none"):
        manager.report("net@2", "test")


def test_parts_that_fit_are_a_report_and_outcomes(manager: ModelManager) -> None:
    tell(manager, 2, {**outcomes(chances=np.linspace(0, 1, 40), groups=np.arange(40) % 4), **report()})

    assert isinstance(manager.report("net@2", "test"), Report)
    assert manager.compare("net@1", "net@2", metric="f1")
