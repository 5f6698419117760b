"""The wheel: what a user installs is whole, and stands without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .test_house import ROOT, tracked


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel of a clean checkout unfolds to."""
    checkout, wheels = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheels")
    for path in tracked():
        copy = checkout / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    command = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels), ".")
    subprocess.run(command, cwd=checkout, check=True)
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(next(wheels.glob("*.whl"))).extractall(folder)
    return folder


def run(installed: Path, cwd: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = (sys.executable, *arguments)
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_works_end_to_end_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = (
        "import lepton_ai, numpy\n"
        "print(lepton_ai.__file__)\n"
        "with lepton_ai.ModelManager() as m:\n"
        "    print(m.save_version({'w': numpy.arange(3.0)}, name='toy'))\n"
        "    print(m.sql('SELECT count(*) AS n FROM versions').to_pylist())\n"
    )

    told = run(installed, tmp_path, "-c", code).splitlines()

    assert told == [str(installed / "lepton_ai" / "__init__.py"), "1", "[{'n': 1}]"]
    assert (tmp_path / ".lepton" / "main.db").exists()


def test_it_holds_the_package_and_nothing_else(installed: Path) -> None:
    parts = {path.relative_to(installed).parts[0] for path in installed.rglob("*") if path.is_file()}

    assert parts == {"lepton_ai", next(name for name in parts if name.endswith(".dist-info"))}
    inside = {path.relative_to(installed / "lepton_ai").parts[0] for path in (installed / "lepton_ai").rglob("*.py")}
    assert not inside & {"tests", "bench", "examples", "docs"}
    assert (installed / "lepton_ai" / "py.typed").exists()
