"""The README's own words, run as they stand."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pytest

from .cli_home import Cli
from .warm import SOCKET, on_path

ROOT = Path(__file__).parents[1]
READMES = (ROOT / "README.md", ROOT / "README.zh.md")


PAGES = (*READMES, *sorted((ROOT / "docs").glob("*.md")))
BLOCKS = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IN_THE_README = (
    "make demo",
    "pip install .",
    "make stack",
    "lepton serve ",
    "export LEPTON_HOME=",
)
ELSEWHERE = {
    "README.md": IN_THE_README,
    "README.zh.md": IN_THE_README,
    # those: tests/test_demo.py, test_wheel.py, test_stack.py, tests/cli, tests/web
    "access.md": ("lepton token create",),  # tests/manager/test_tokens.py
    "api.md": ("{",),  # tests/web
    "asking-over-http.md": ("",),  # tests/web/test_sql.py, test_following.py, test_follow.py
    "building.md": ("apiVersion: ",),  # tests/building/test_ray.py
    "cli.md": ("",),  # tests/cli/test_reference.py
    "demo.md": ("pip install",),  # tests/test_demo.py
    "evidence.md": ("python verify_proof.py", "lepton verify --against"),  # tests/evidence
    "expressions.md": ("expression ",),
    "fields.md": ("",),  # of data sets to be fetched: tests/fields
    "gates.md": ("name: gate",),  # tests/cli/test_gates.py
    "jobs.md": (" jobs.train ─▶",),
    "kafka.md": ('{"specversion"', "kafka-acls.sh"),  # tests/jobs/test_offered.py, tests/events/test_secured.py
    "objects.md": ("pip install 'lepton-ai-sdk[cloud]'",),  # tests/tensors/test_cloud.py
    "revisions.md": ("[MODEL@] BASE",),
    "remote.md": ("",),  # tests/manager/test_contract.py, tests/remote
    "search.md": ("family = ",),  # tests/studies
    "sdk.md": ("lepton data add",),  # tests/cli
    "serve.md": ("pip install", "lepton token create"),  # tests/web
    "work-over-http.md": ("{",),  # tests/web/test_jobs.py, test_runs.py
}
"""How the blocks begin that are no commands, or that need a checkout, a network or servers, and where those run."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of the blocks of a page that run anywhere."""
    others = ELSEWHERE.get(page.name, ())
    return [
        (kind, text)
        for kind, text in BLOCKS.findall(page.read_text())
        if kind != "text" and not text.startswith(others or "\0")
    ]


def programs(page: Path) -> list[tuple[str, str]]:
    """The blocks as a reader runs them: what follows each other in one language is one session."""
    return [
        (kind, "\n".join(text for _, text in some)) for kind, some in groupby(blocks(page), key=lambda block: block[0])
    ]


def path() -> str:
    """Where the commands of this installation stand first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def run(kind: str, text: str, folder: Path, **extra: str) -> str:
    """Run one as it stands, in a folder."""
    command = {"python": [sys.executable, "-c", text], "sh": ["sh", "-e", "-c", text]}[kind]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEPTON_")}
    environment = kept | {"PATH": path(), "PYTHONSAFEPATH": "1", "LEPTON_LANG": "en"} | extra
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def nothing() -> Generator[None]:
    yield


@contextmanager
def outage(folder: Path) -> Generator[None]:
    """A ledger whose database another holds."""
    run("sh", "lepton init", folder)
    held = sqlite3.connect(folder / ".lepton" / "main.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        held.close()


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_sample_stands_in_the_readme(page: Path) -> None:
    sample = (ROOT / "demo" / "sample.txt").read_text()

    assert sample in [text for kind, text in BLOCKS.findall(page.read_text()) if kind == "python"]


@pytest.mark.parametrize(("page", "language"), [*zip(READMES, ("en", "zh"), strict=True)], ids=("en", "zh"))
def test_the_first_eight_lines_print_what_stands_below_them(page: Path, language: str, tmp_path: Path) -> None:
    (_, lines), (_, printed) = [block for block in BLOCKS.findall(page.read_text()) if block[0]][:2]

    said = run("python", lines, tmp_path, LEPTON_LANG=language)

    times = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\dZ")
    assert len(lines.splitlines()) == 8
    assert times.sub("TIME", said) == times.sub("TIME", printed)


def test_both_readmes_show_the_same_commands_and_pages() -> None:
    english, chinese = (page.read_text() for page in READMES)

    assert commands(chinese) == commands(english)
    assert set(re.findall(r"\]\(([\w./-]+)\)", english)) ^ set(re.findall(r"\]\(([\w./-]+)\)", chinese)) == {
        "README.md",
        "README.zh.md",
    }


def test_both_readmes_run_the_same_blocks() -> None:
    """But for texts and remarks; so those of one are run, and of the other the first, which is in its language."""
    english, chinese = (
        ["\n".join(commands(f"```{kind}\n{text}```")) if kind == "sh" else text for kind, text in blocks(page)[1:]]
        for page in READMES
    )

    assert chinese == english


def commands(text: str) -> list[str]:
    """What is typed in the blocks of shells, without the remarks beside it."""
    blocks = [text for kind, text in BLOCKS.findall(text) if kind in ("", "sh")]
    return [re.split(r"\s{2,}|\s+#", line)[0] for block in blocks for line in block.splitlines()]


RUN = [page for page in PAGES if blocks(page) and page.name != "README.zh.md"]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_every_block_runs_as_printed_in_a_folder_with_nothing_else(
    page: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, extra = "", {"LEPTON_WAIT": "0.1"} if page.name == "outages.md" else dict[str, str]()
    if page.name == "README.md":
        monkeypatch.delenv(SOCKET, raising=False)  # the first that anybody tries begins as it does for them
    extra["PATH"] = f"{on_path(tmp_path_factory.mktemp('commands'))}{os.pathsep}{path()}"
    with outage(tmp_path) if page.name == "outages.md" else nothing():
        for kind, text in programs(page):
            said += run(kind, text, tmp_path, **extra)
            if (page.name, kind) in (("README.md", "python"), ("sdk.md", "python")):  # a script is run again
                said += run(kind, text, tmp_path)

    assert said


@pytest.mark.parametrize("page", [*READMES, ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_page_and_file_it_names_is_there(page: Path) -> None:
    linked = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", page.read_text())
    quoted = re.findall(r"`((?:docs|examples|tests)/[\w./-]+)`", page.read_text())

    assert [name for name in (*linked, *quoted) if not (ROOT / name).exists()] == []


def test_every_setting_listed_is_one_that_the_code_reads_and_the_other_way_round() -> None:
    told = set(re.findall(r"`(LEPTON_[A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text()))
    rooms = ("building", "cli", "datasets", "remote", "versions", "web")
    sources = [*ROOT.glob("*.py"), *(path for room in rooms for path in (ROOT / room).rglob("*.py"))]
    read = {name for path in sources for name in re.findall(r'"(LEPTON_[A-Z_]+)"', path.read_text())}

    assert told <= read
    assert {name for name in read - told if not name.startswith("LEPTON_TERM_")} <= {"LEPTON_DEBUG"}


def test_every_command_it_shows_is_one(home: Path) -> None:
    shown = re.findall(r"^lepton (\w+)", READMES[0].read_text(), re.MULTILINE)

    for name in dict.fromkeys(shown):
        asked = Cli(home)([name, "--help"])
        assert asked.code == 0, asked.err
