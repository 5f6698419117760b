"""What the tests of the command line share: a small ledger with a past, rows to learn from, and a way to call it."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from lepton_ai import ModelManager
from lepton_ai.cli.app import lepton
from lepton_ai.domain.job.commands import SubmitJob
from lepton_ai.models import CreditScoringModel

ROWS = 120
JOB = "0190a7e2-7c1d-7f7e-9f0a-3d2f5a6b7c8d"


def loans(path: Path) -> tuple[dict[str, Any], Any]:
    """Write loans.csv: two numbers, a category with gaps, and `default`; also as columns and labels."""
    chance = np.random.default_rng(7)
    income, debt = chance.normal(size=ROWS).round(3), chance.normal(size=ROWS).round(3)
    kind = chance.choice(["car", "house", ""], ROWS)
    default = (debt - income + chance.normal(scale=0.3, size=ROWS) > 0).astype(int)
    lines = [f"{a},{b},{c},{d}" for a, b, c, d in zip(income, debt, kind, default, strict=True)]
    path.write_text("\n".join(["income,debt,kind,default", *lines, ""]))
    return {"income": income, "debt": debt, "kind": [text or None for text in kind]}, default


def make(home: Path, rows: tuple[dict[str, Any], Any]) -> None:
    """A model `credit` of seven versions on two branches, merged, promoted, rolled back; 1 to 4 and 6, 7 trained."""
    ada, bob = ModelManager(home, actor="ada"), ModelManager(home, actor="bob")

    def fit(manager: ModelManager, message: str, branch: str = "main", **chosen: Any) -> None:
        model = CreditScoringModel()
        for name, value in {"epochs": 3, "members": 1, "hidden": [4], **chosen}.items():
            model.add_hyperparameter(name, value)
        manager.train(model, *rows, name="credit", branch=branch, message=message)

    with ada, bob:
        fit(ada, "first fit")
        fit(ada, "lower dropout", dropout_rate=0.1)
        ada.tag("v1.0", "credit@2")
        ada.alias("production", "credit@2", reason="good enough")
        ada.branch("risk", "credit@2")
        fit(bob, "faster steps", branch="risk", learning_rate=0.05)
        fit(ada, "全量数据重新训练", epochs=6)
        ada.annotate("credit@4", {"ticket": "RISK-12"})
        bob.merge("credit@risk", into="main", message="take the faster steps in")
        bob.alias("production", "credit@5", reason="promoted")
        fit(ada, "slow steps", learning_rate=0.0001)
        bob.rollback("credit@5", reason="worse in production")
        fit(ada, "careful retry", learning_rate=0.02)
        bob.rollback(model="credit", alias="production", reason="alerts")
        # nobody works for this pool, so the job waits
        payload = {"class": "credit-scoring-model", "label": "default"}
        asked = SubmitJob(job=JOB, kind="train", model="credit", payload=payload, pool="night")
        ada._workspace.admit(asked, None)
        half = {name: values[: ROWS // 2] for name, values in rows[0].items()}
        ada.add_data("quarter", half, rows[1][: ROWS // 2], message="the first half")
        ada.add_data("quarter", *rows, keep=True, message="the loans of the second quarter")
        ada.define_suite("trial", "quarter", require="roc_auc > 0.1", metrics=["f1", "roc_auc"], draws=0)


class Answer(NamedTuple):
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout, which must be all there is."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


class Cli:
    """`lepton` in this process, on one home and in one folder."""

    def __init__(self, home: Path, **env: str | None) -> None:
        self.home = home
        self.env: dict[str, str | None] = {"LEPTON_HOME": str(home), "LEPTON_ACTOR": "ada", "LEPTON_LANG": "en"} | env

    def __call__(self, line: str | list[str], input: str | None = None, **env: str | None) -> Answer:
        words = shlex.split(line) if isinstance(line, str) else line
        ended = CliRunner(env=self.env | env).invoke(lepton, words, input=input)
        assert isinstance(ended.exception, SystemExit | None), ended.exception
        return Answer(ended.exit_code, ended.stdout, ended.stderr)

    def end(self) -> int:
        """How many events the ledger holds."""
        with ModelManager(self.home) as manager:
            return manager.verify().size


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that home and its rows, of each module its own; it is made once and copied."""
    once = tmp_path_factory.getbasetemp() / "home-with-a-past"
    if not once.exists():
        making = tmp_path_factory.mktemp("making")
        make(making / "home", loans(making / "loans.csv"))
        making.rename(once)
    return shutil.copytree(once, tmp_path_factory.mktemp("made"), dirs_exist_ok=True)


@pytest.fixture
def cli(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on a copy of it, which a test may change."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path / "home")
