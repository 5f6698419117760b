"""The README's own words, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_snippet_is_the_sample() -> None:
    assert SNIPPETS[0].strip() in (ROOT / "examples" / "sample.py").read_text()


def test_the_snippets_run_one_after_the_other_and_again(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(SNIPPETS[1:]) + "\nprint(len(manager.find('metric.f1 > 0.8')))\n")
    environment = os.environ | {"LEPTON_HOME": str(home), "PYTHONSAFEPATH": "1"}

    for found in (1, 2):
        done = subprocess.run((sys.executable, script), env=environment, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        assert "rolled back" in done.stdout
        assert done.stdout.splitlines()[-1] == str(found)


def test_every_page_and_file_it_names_is_there() -> None:
    linked = re.findall(r"\]\(([\w./-]+)\)", README)
    quoted = re.findall(r"`((?:docs|examples|tests)/[\w./-]+)`", README)

    assert [name for name in (*linked, *quoted) if not (ROOT / name).exists()] == []


def test_every_setting_it_lists_is_one_that_the_code_reads_and_the_other_way_round() -> None:
    told = set(re.findall(r"`(LEPTON_[A-Z_]+)` \|", README))
    sources = [*ROOT.glob("*.py"), *(ROOT / "cli").glob("*.py")]
    read = {name for path in sources for name in re.findall(r'"(LEPTON_[A-Z_]+)"', path.read_text())}

    assert told <= read
    assert {name for name in read - told if not name.startswith("LEPTON_TERM_")} <= {"LEPTON_DEBUG"}


def test_every_command_it_shows_is_one(home: Path) -> None:
    shown = re.findall(r"^lepton (\w+)", README, re.MULTILINE)

    for name in dict.fromkeys(shown):
        lepton = Path(sys.executable).with_name("lepton")
        done = subprocess.run((str(lepton), name, "--help"), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
