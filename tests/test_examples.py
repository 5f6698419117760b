"""The examples, run as a newcomer runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_demo_tells_its_story_to_the_end(tmp_path: Path) -> None:
    """In Chinese; the stack's test has it in English."""
    environment = os.environ | {"PYTHONSAFEPATH": ""}
    command = (sys.executable, str(EXAMPLES / "demo.py"), "--home", str(tmp_path / "demo"), "--lang", "zh")

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "模型版本1已保存" in done.stdout
    assert "与回退之前逐位相同" in done.stdout or "故事到此为止" in done.stdout
    told = done.stdout.partition("版本1：用旧档案训练")[2]
    assert not re.search(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{3,}", told), "there is English in it"
    lepton = done.stdout.splitlines()[-1].split(" --home")[0].strip()
    assert shutil.which(lepton)


def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    notebook = nbformat.read(EXAMPLES / "first-steps.ipynb", as_version=4)

    resources = {"metadata": {"path": str(tmp_path)}}

    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs)
    assert "True" in printed.splitlines()[-1]
