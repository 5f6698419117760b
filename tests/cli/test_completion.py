"""Completion in a real bash: commands, and the names that the ledger knows; never a word beside them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager

from ..cli_home import JOB, Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

BASH = """
eval "$(lepton completion bash)"
complete -p lepton
compopt() { echo "compopt $*"; }
while IFS='|' read -r line word; do
    COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
    _lepton_completion lepton "$word" ""
    echo "$line -> ${COMPREPLY[*]}"
done
"""
"""What bash does at the key, with the word as it breaks the line itself: behind the last @."""


def completed(folder: Path, home: Path, *lines: tuple[str, str], shell: str = "bash") -> list[str]:
    """What is proposed for each line, of which bash takes the last part for the word."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    asked = "".join(f"{line}|{word}\n" for line, word in lines)
    done = subprocess.run(
        (shell, "--norc", "--noprofile", "-c", BASH),
        input=asked, capture_output=True, text=True, check=True, cwd=folder,
        env={"PATH": path, "LEPTON_HOME": str(home), "LC_ALL": "C.UTF-8", "HOME": str(folder)},
    )  # fmt: skip
    assert done.stderr == ""
    registered, *told = done.stdout.splitlines()
    assert registered == "complete -o bashdefault -o default -o nosort -F _lepton_completion lepton"
    return told


def test_bash_completes_what_the_ledger_knows(cli: Cli, tmp_path: Path) -> None:
    asked = {
        ("lepton sho", "sho"): "show",
        ("lepton show ", ""): "main production risk v1.0",
        ("lepton show credit@r", "r"): "risk",
        ("lepton diff 1 pro", "pro"): "production",
        ("lepton log risk..pro", "risk..pro"): "risk..production",
        ("lepton show 1", "1"): "1",
        ("lepton rollback --alias ", ""): "production",
        ("lepton --actor ada merge ri", "ri"): "risk",
        ("X=1 lepton log --model c", "c"): "credit",
        ("lepton cancel 019", "019"): JOB,
        ("lepton evaluate 1 qu", "qu"): "quarter",
        ("lepton rollback 1 --dr", "--dr"): "--dry-run",
        ("lepton show nothing", "nothing"): "",
    }

    told = completed(tmp_path, cli.home, *asked)

    assert told == [f"{line} -> {names}" for (line, _), names in asked.items()]


def test_of_several_models_their_names_are_proposed_and_then_their_revisions(cli: Cli, tmp_path: Path) -> None:
    with ModelManager(cli.home, actor="ada") as manager:
        manager.save_version({"w": np.ones(1)}, name="net")

    told = completed(
        tmp_path, cli.home, ("lepton show ", ""), ("lepton show net@", ""), ("lepton log --model net m", "m")
    )

    assert told == [
        "compopt -o nospace",
        "compopt -o nospace",
        "lepton show  -> credit@ net@",
        "lepton show net@ -> main",
        "lepton log --model net m -> main",
    ]


def test_where_there_is_no_ledger_nothing_is_said_and_nothing_made(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "main.db").write_text("no database")

    for home in ("none", "broken"):
        assert completed(tmp_path, tmp_path / home, ("lepton show m", "m")) == ["lepton show m -> "]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_takes_its_script(shell: str, tmp_path: Path) -> None:
    script = Cli(tmp_path / "home")(f"completion {shell}").out

    assert f"_LEPTON_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        subprocess.run((shell, "-n", str(tmp_path / "script")), check=True)
