"""Examples of requests, all of one small ledger: a model `credit` with data, a suite, a run and a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ID: Final = "0190a7e2-7c1d-7f7e-9f0a-3d2f5a6b7c8d"
OPEN: Final = "0190a7e2-7c1d-7f7e-9f0a-3d2f5a6b7c8e"
"""A run that has not ended."""
REQUIRE: Final = "roc_auc > 0.1"
ROWS: Final = {"data": "quarter"}
_BLOB: Final = {"digest": f"blake3:{'0' * 64}", "chunks": [f"blake3:{'0' * 64}"]}

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "asking.search": {"where": "metric.f1 > 0"},
    "asking.sql": {"query": "SELECT model, version FROM versions"},
    "contests.compare_recorded": {"rev": ["1", "2"]},
    "contests.diff": {"from": "1", "to": "2"},
    "contests.pick_recorded": {"rev": ["1", "2"], "by": ["f1"]},
    "data.add_data": {"name": "quarter"},
    "data.data": {"name": "quarter"},
    "data.rows": {"name": "quarter"},
    "data.drift": {"name": "quarter@1", "after": "quarter"},
    "events.events": {"stream": "model/credit"},
    "library.entry": {"name": "table-model"},
    "loading.checkpoint_tensor": {"name": "w"},
    "loading.file": {"rev": "noted", "name": "notes.txt"},
    "loading.tensor": {"rev": "noted", "name": "w"},
    "moves.protect": {"name": "staging"},
    "moves.protection": {"name": "guarded"},
    "moves.unprotect": {"name": "guarded"},
    "names.alias": {"name": "production"},
    "names.alias_moves": {"name": "production"},
    "names.delete_alias": {"name": "spare", "If-Match": "*"},
    "names.delete_branch": {"name": "spare-branch", "If-Match": "*"},
    "names.delete_tag": {"name": "spare-tag", "If-Match": "*"},
    "names.move_aliases": {"If-Match": "*"},
    "names.put_alias": {"name": "staging", "If-Match": "*"},
    "names.put_branch": {"name": "trial"},
    "names.put_tag": {"name": "v2.0"},
    "names.tag": {"name": "v1.0"},
    "names.tag_moves": {"name": "v1.0"},
    "moves.roll_back": {"If-Match": "*"},
    "files.file": {"name": "figures/confusion.png"},
    "files.log_files": {"run": OPEN},
    "runs.finish": {"run": OPEN},
    "runs.log": {"run": OPEN},
    "runs.resume": {"run": OPEN},
    "saving.checkpoint": {"run": OPEN},
    "tokens.forget_actor": {"name": "eve"},
    "versions.clear": {"rev": "6"},
    "versions.versions": {"where": "metric.f1 > 0", "branch": "main"},
}
"""By operation, of parameters whose usual example does not do."""

BODIES: Final[Mapping[str, Any]] = {
    "asking.ask": {"query": "SELECT model, version FROM versions WHERE version > ?", "params": [2]},
    "contests.compare": {"revs": ["1", "2"], **ROWS},
    "contests.pick": {"revs": ["1", "2"], "by": "f1", **ROWS},
    "data.add_data": {"rows": ID, "labels": "default", "keep": True},
    "evidence.verify_heads": {"heads": f"lepton/0190a7e2-7c1d-7f7e-9f0a-3d2f5a6b7c8d\n1\n{'A' * 43}=\n"},
    "jobs.cancel": {"reason": "wrong data"},
    "jobs.submit": {"kind": "train", "model": "credit", "class": "credit-scoring-model", **ROWS, "pool": "night"},
    "judging.best_threshold": {**ROWS, "costs": {"false_negative": 5}, "branch": "thresholds"},
    "judging.calibrate": {**ROWS, "branch": "calibrated"},
    "judging.evaluate": {**ROWS, "name": "holdout", "draws": 0},
    "judging.evaluate_predictions": {"rows": ID, "predictions": "prediction", "labels": "default"},
    "judging.gate": {**ROWS, "require": REQUIRE, "draws": 0},
    "judging.predict": {"rows": ID, "keep": True},
    "judging.robustness": {**ROWS, "draws": 50},
    "models.change": {"description": "who may have a loan"},
    "moves.merge": {"version": "risk", "into": "main", "strategy": "theirs"},
    "moves.plan_rollback": {"to": "5"},
    "moves.protect": {"require": [REQUIRE]},
    "moves.rehearse": {"to": "5", "rehearse": ROWS},
    "moves.roll_back": {"to": "5", "reason": "worse in production"},
    "names.move_aliases": {"moves": {"staging": 4, "shadow": 4}, "reason": "passed review"},
    "names.put_alias": {"version": 4, "reason": "passed review"},
    "names.put_branch": {"version": 2},
    "names.put_tag": {"version": 4},
    "files.log_files": {"files": [{"name": "figures/loss.png", "content": _BLOB, "step": 1}]},
    "runs.beat": {"writer": "trainer-1"},
    "runs.finish": {"points": 1},
    "runs.log": {"points": [{"name": "loss", "value": 0.25, "step": 1}]},
    "runs.resume": {"writer": "trainer-1"},
    "runs.start": {"model": "credit", "hyperparameters": {"learning_rate": 0.01}, "name": "a night's work"},
    "saving.checkpoint": {"manifest": _BLOB, "step": 1},
    "saving.missing": {"chunks": _BLOB["chunks"]},
    "saving.save": {"manifest": _BLOB, "save": {"message": "from the cluster"}},
    "suites.define_suite": {**ROWS, "require": REQUIRE, "draws": 0},
    "suites.run_suite": {"version": "credit@4"},
    "tokens.create_token": {"owner": "bea", "scopes": ["read"], "models": ["credit*"], "expires": "30d"},
    "versions.annotate": {"ticket": "RISK-12", "reviewed": True},
    "versions.clear": {"reason": "the alarm was false"},
    "versions.describe": {"description": "the one that the board saw"},
    "versions.measure": {"metrics": {"latency_p95": 0.012}, "better": {"latency_p95": "lower"}},
}
"""By operation, of the body."""
