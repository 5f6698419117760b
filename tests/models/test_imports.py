"""Modules of the user's own: imported by name, announced by workers, and their classes and metrics judged as jobs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError, Malformed, Refused
from lepton_ai.evaluation.own import metrics
from lepton_ai.models import imports, registry

from ..cli_home import Cli

MODULE = """
import numpy as np
import torch
from torch import nn
from lepton_ai import metric, register

@register("by-the-sign")
class BySign(nn.Module):
    OUTPUTS = "logits"

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0, 0.0]))

    def forward(self, rows):
        return rows @ self.weight

@metric("nights_lost", better="lower", task="binary")
def nights_lost(labels, predictions):
    return 3.0 * np.sum(labels != predictions)
"""


def forget() -> None:
    """As in a process that has not imported it."""
    registry._classes.pop("by-the-sign")
    metrics._metrics.pop("nights_lost")
    del sys.modules["by_sign"]
    imports._imported.clear()
    imports._announced.clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a module `by_sign`, labelled rows, and nothing imported; all is forgotten afterwards."""
    before = dict(registry._classes), dict(metrics._metrics), list(sys.path), set(sys.modules)
    (tmp_path / "by_sign.py").write_text(MODULE)
    rows = np.random.default_rng(2).normal(size=(60, 2)).round(3)
    lines = [f"{a},{b},{int(a > 0)}" for a, b in rows]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,y", *lines, ""]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(imports, "_imported", [])
    monkeypatch.setattr(imports, "_announced", set())
    yield tmp_path
    for kept, was in ((registry._classes, before[0]), (metrics._metrics, before[1])):
        kept.clear()
        kept.update(was)  # pyright: ignore[reportArgumentType, reportCallIssue]
    sys.path[:] = before[2]
    for name in set(sys.modules) - before[3]:
        if name in ("by_sign", "broken", "taken"):
            del sys.modules[name]


def test_a_module_of_this_folder_is_imported_and_announced(folder: Path) -> None:
    imports.import_modules(["by_sign"])
    imports.import_modules(["by_sign"])

    assert imports.imported() == ("by_sign",)
    assert imports.announced() == ("class:by-the-sign", "metric:nights_lost")
    assert sys.path[-1] == str(folder), "no file of the folder hides a library"


def test_a_class_and_a_metric_of_ones_own_are_judged_as_a_job(folder: Path) -> None:
    imports.import_modules(["by_sign"])
    with ModelManager(folder / "home", actor="ada") as manager:
        manager.save_version(registry.build({"class": "by-the-sign", "config": {}}), name="sign")

        asked = manager.jobs.evaluate("sign", "rows.csv", "y", name="test", metrics=["nights_lost"], draws=0)
        ended = manager.jobs.wait(asked.job)

        assert (ended.status, ended.reason) == ("finished", "")
        submitted = next(iter(manager.jobs.events(asked.job)))["data"]
        assert submitted["needs"] == ["class:by-the-sign", "metric:nights_lost"]
        assert manager.show("sign").metrics["test/accuracy"] == 1
        assert manager.show("sign").metrics["test/nights_lost"] == 0
        assert manager.compare("sign@1", metric="test/nights_lost").better["test/nights_lost"] == "lower"


def test_the_command_line_imports_what_it_is_told_to(folder: Path) -> None:
    imports.import_modules(["by_sign"])
    cli = Cli(folder / "home")
    with ModelManager(cli.home, actor="ada") as manager:
        manager.save_version(registry.build({"class": "by-the-sign", "config": {}}), name="sign")
    forget()
    evaluate = "evaluate sign rows.csv --label y --draws 0 --metric nights_lost"

    refused = cli(evaluate)
    done = cli(f"{evaluate} --import by_sign")
    forget()
    named = cli(f"{evaluate} --json --detach", LEPTON_IMPORT="by_sign")
    worked = cli("worker --once --import by_sign")

    assert (refused.code, "--import" in refused.err) == (1, True)
    assert (done.code, done.err) == (0, "")
    assert (named.json["job"]["status"], worked.code) == ("queued", 0)
    with ModelManager(cli.home, actor="ada") as manager:
        assert manager.jobs.show(named.json["job"]["job"]).status == "finished"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("nowhere", None, "there is no module 'nowhere' in"),
        ("by_sign.inner", None, "cannot be imported|there is no module 'by_sign.inner'"),
        ("by_sign.py", None, "there is no module"),
        ("./by_sign", None, "is no module's name"),
        ("", None, "is no module's name"),
        ("broken", "1 / 0", "'broken' cannot be imported .ZeroDivisionError: division by zero.; mend it"),
        ("broken", "import nothing_of_that_name", "'broken' cannot be imported .ModuleNotFoundError"),
        ("broken", "raise SystemExit(3)", "'broken' cannot be imported .SystemExit"),
        ("broken", "def f(:", "'broken' cannot be imported .SyntaxError"),
        ("taken", "import lepton_ai\nlepton_ai.metric('f1', better='lower')(len)", "Lepton measures itself"),
    ],
    ids=["absent", "inner", "file", "path", "nothing", "raises", "lacks", "exits", "syntax", "refused"],
)
def test_a_module_that_cannot_be_imported_is_told_in_one_sentence(
    folder: Path, name: str, text: str | None, sentence: str
) -> None:
    if text is not None:
        (folder / f"{name}.py").write_text(text)

    with pytest.raises(LeptonError, match=sentence) as refused:
        imports.import_modules([name])

    assert isinstance(refused.value, Malformed | Refused)
    assert "\n" not in str(refused.value)
    assert imports.imported() == ()


def test_a_job_whose_metric_no_worker_knows_is_refused_at_once(folder: Path) -> None:
    with ModelManager(folder / "home", actor="ada") as manager:
        manager.save_version({"w": np.ones(2)}, name="bare")

        with pytest.raises(Refused, match=r"no worker of pool default knows the metric 'nights_lost'.*--import"):
            manager.jobs.evaluate("bare", "rows.csv", "y", metrics=["nights_lost"])
