"""`lepton` as a process of its own: pipes, signals, terminals."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..asking import PATIENCE
from ..cli_home import Cli, loans, make

# a shell that starts tests in the background has them ignore SIGINT, which their children would inherit
START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from lepton_ai.cli import main; main()"
)
LEPTON = [sys.executable, "-c", START]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(folder / "home", loans(folder / "loans.csv"))
    return folder / "home"


@pytest.fixture
def env(made: Path, tmp_path: Path) -> dict[str, str]:
    shutil.copytree(made, tmp_path / "home")
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "LEPTON_DEBUG")}
    return kept | {"LEPTON_HOME": str(tmp_path / "home"), "PYTHONSAFEPATH": "1", "TERM": "xterm", "LEPTON_ACTOR": "ada"}


def on_a_terminal(words: list[str], env: dict[str, str], answer: str = "") -> tuple[int, str]:
    """Run on a terminal of its own, answering the first question: the exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*LEPTON, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    )
    os.close(theirs)
    shown, until = b"", time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not select.select([ours], [], [], 1.0)[0]:
            continue
        try:
            got = os.read(ours, 65536)
        except OSError:  # the last one who had it open is gone
            break
        if not got:
            break
        shown += got
        if answer and b"[y/N]" in shown:
            os.write(ours, answer.encode())
            answer = ""
    os.close(ours)
    return process.wait(PATIENCE), shown.decode()


@pytest.mark.parametrize(
    ("words", "code"),
    [(["models"], 0), (["show", "99"], 1), (["rollback"], 2), (["--version"], 0), (["--help"], 0)],
)
def test_a_process_exits_as_the_command_ended(words: list[str], code: int, env: dict[str, str]) -> None:
    ended = subprocess.run([*LEPTON, *words], env=env, capture_output=True, timeout=PATIENCE)

    assert ended.returncode == code
    assert b"Traceback" not in ended.stderr


def test_a_reader_that_has_seen_enough_is_no_error(env: dict[str, str]) -> None:
    process = subprocess.Popen([*LEPTON, "events"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait(PATIENCE) == 141


def test_an_interrupt_ends_it_without_a_word(env: dict[str, str]) -> None:
    process = subprocess.Popen([*LEPTON, "events", "--follow"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert b"ledger.created" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert said.strip() == b""


@pytest.mark.parametrize("library", ["duckdb", "pydantic"])
def test_an_interrupt_within_a_library_that_tells_it_as_its_own_error_ends_it_so_too(
    library: str, env: dict[str, str]
) -> None:
    within = {
        # once the query has been at work for half a second
        "duckdb": "import os, sys, threading, time, traceback\n"
        "def interrupt():\n"
        "    looks, main = 0, threading.main_thread().ident\n"
        "    while looks < 50:\n"
        "        names = [each.name for each in traceback.extract_stack(sys._current_frames()[main])]\n"
        "        looks = looks + 1 if 'to_arrow_reader' in names else 0\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=interrupt, daemon=True).start()",
        # what pydantic raises where a signal comes while it builds the validators of a class
        "pydantic": "import lepton_ai.versions.feed as feed; from pydantic_core import SchemaError\n"
        "def events(*_, **__): raise SchemaError('Error building `literal` serializer:\\n  KeyboardInterrupt: ')\n"
        "feed.events = events",
    }[library]
    words = {"duckdb": ["sql", "SELECT count(*) FROM range(100_000_000_000)"], "pydantic": ["events"]}[library]
    start = START.replace("; from", f"\n{within}\nfrom")
    ended = subprocess.run([sys.executable, "-c", start, *words], env=env, capture_output=True, timeout=PATIENCE)

    assert ended.returncode == 130
    assert ended.stderr.strip() == b""


def test_following_shows_what_happens_meanwhile(env: dict[str, str]) -> None:
    cli = Cli(Path(env["LEPTON_HOME"]))
    words = ["events", "--follow", "--json", "--after", str(cli.end())]
    process = subprocess.Popen([*LEPTON, *words], env=env, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        cli("tag v9 1")
        assert b"lepton.tag.created.v1" in process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_on_a_terminal_a_rollback_asks_and_takes_no_for_an_answer(env: dict[str, str]) -> None:
    code, shown = on_a_terminal(["rollback", "2"], env, "n\n")

    assert code == 1
    assert shown.index("leaves") < shown.index("Roll back?") < shown.index("nothing was changed; you said no")
    assert Cli(Path(env["LEPTON_HOME"]))("branch --json").json["branches"]["main"]["version"] == 7


def test_on_a_terminal_a_rollback_asks_and_goes_on(env: dict[str, str]) -> None:
    code, shown = on_a_terminal(["rollback", "2"], env, "y\n")

    assert code == 0
    assert "rolled back" in shown
    assert Cli(Path(env["LEPTON_HOME"]))("branch --json").json["branches"]["main"]["version"] == 2


def test_a_terminal_gets_colours_unless_it_wants_none(env: dict[str, str]) -> None:
    words = ["log", "--graph", "-n", "3"]
    _, coloured = on_a_terminal(words, env)
    _, plain = on_a_terminal(words, env | {"NO_COLOR": "1"})
    _, dumb = on_a_terminal(words, env | {"TERM": "dumb"})

    assert "\x1b[" in coloured
    assert "\x1b[" not in plain + dumb
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain == dumb


def test_what_a_terminal_cannot_print_is_replaced(env: dict[str, str]) -> None:
    ended = subprocess.run(
        [*LEPTON, "log"],
        env=env | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=PATIENCE,
    )

    assert ended.returncode == 0
    assert b"->2" in ended.stdout
    assert b"????" in ended.stdout


def test_reading_history_loads_neither_torch_nor_duckdb_nor_arrow(env: dict[str, str]) -> None:
    code = (
        "import sys\nfrom lepton_ai.cli.app import lepton\n"
        "try: lepton.main(['log', '--graph'])\nexcept SystemExit as ended: assert not ended.code\n"
        "heavy = {'torch', 'duckdb', 'pyarrow', 'sklearn', 'alembic', 'rich', 'pandas'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )

    subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, timeout=PATIENCE)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_cell_steers_no_terminal(form: str, env: dict[str, str]) -> None:
    query = "select 'a' || chr(27) || '[9;9Hb' || chr(8238) as \"x\x1b[2J\""

    code, shown = on_a_terminal(["sql", query, "--format", form], env)

    assert code == 0
    assert "\x1b[9;9H" not in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown
    assert "[9;9Hb" in shown
