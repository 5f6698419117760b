"""`lepton demo`: it tells the story to its end, serves the page on it, and opens it again as it stands."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock

import lepton_ai
from lepton_ai import LeptonError, Refused
from lepton_ai.demo.place import MARK, DemoFolder

from .asking import PATIENCE
from .cli_home import Cli
from .picture import PICTURE, picture

LEPTON = Path(sys.executable).with_name("lepton")
MAKEFILE = Path(__file__).parents[1] / "Makefile"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def at_work(home: Path, *more: str) -> Iterator[tuple[list[str], str]]:
    """The demo as a process: the lines that it printed until it served, and its address. Ctrl-C ends it."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("LEPTON")}
    environment = known | {"LEPTON_HOME": "https://ledger.invalid", "LEPTON_DATABASE": "postgresql://nowhere.invalid/x"}
    command = (str(LEPTON), "demo", "--home", str(home), *more)
    started = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines: list[str] = []
        assert started.stdout is not None
        for line in started.stdout:
            lines.append(line)
            if served := ADDRESS.search(line):
                yield lines, served[0]
                break
        started.send_signal(signal.SIGINT)
        _, complaints = started.communicate(timeout=PATIENCE)
        assert started.returncode == 0, complaints
    finally:
        started.kill()
        started.wait()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with the story in Chinese, and what was printed; made once, whatever number of processes test."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo-told"
    with FileLock(f"{shared}.lock"):
        if not (shared / "printed").exists():
            with at_work(shared / "home", "--lang", "zh", "--port", "0") as (lines, address):
                page = httpx.get(f"{address}/m/credit-risk", headers={"Accept-Language": "en"})
            assert page.status_code == 200, page.text
            (shared / "page.html").write_text(page.text)
            (shared / "printed").write_text("".join(lines))
    return shared, (shared / "printed").read_text()


def test_it_tells_its_story_to_the_end_in_one_language(told: tuple[Path, str]) -> None:
    """In Chinese; the stack's test has it in English."""
    shared, printed = told

    assert "模型版本1已保存" in printed
    assert "与回退之前逐位相同" in printed or "故事到此为止" in printed
    story = printed.partition("版本1：用旧档案训练")[2]
    assert not re.search(r"[A-Za-z]{3,} [a-z]{3,} [a-z]{3,}", story), "there is English in it"
    assert (shared / "home" / MARK).read_text() == "zh\n"


def test_the_page_shows_the_story(told: tuple[Path, str]) -> None:
    page = (told[0] / "page.html").read_text()

    assert "production" in page
    assert "首次上线" in page
    assert "生产环境中更贵" in page or "故事到此为止" in told[1]


def test_told_once_it_is_opened_as_it_stands(told: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copytree(told[0] / "home", tmp_path / "home")

    with at_work(tmp_path / "home", "--port", "0") as (lines, address):
        models = httpx.get(f"{address}/api/v1/models").json()
        with pytest.raises(Refused, match="another demo is at work"), DemoFolder(tmp_path / "home").anew("en"):
            pytest.fail("it emptied what is served")
        said = {"kind": "evaluate", "model": "credit-risk", "version": "1", "data": "old-records", "draws": "0"}
        asked = httpx.post(f"{address}/jobs/new", data=said)
        for _ in range(5):
            job = httpx.get(f"{address}/api/v1{asked.headers['location']}?wait=60").json()
            if job["status"] == "finished":
                break

    assert len(lines) == 1
    assert job["status"] == "finished", job
    assert "credit-risk" in str(models)


def test_the_readmes_picture_can_be_made_and_is_small(told: tuple[Path, str], tmp_path: Path, browser: Any) -> None:
    shutil.copytree(told[0] / "home", tmp_path / "home")

    made = picture(tmp_path / "home", browser)

    for each in (made, PICTURE.read_bytes()):
        assert (each[:4], each[8:12]) == (b"RIFF", b"WEBP")
        assert len(each) < 100_000


def test_what_something_else_made_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")

    ended = Cli(tmp_path)(["demo", "--home", str(tmp_path)])

    assert ended.code == 1
    assert "was not made by the demo; choose another by --home" in ended.err
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_story_that_broke_off_is_not_opened_but_told_anew(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    with suppress(KeyboardInterrupt), folder.anew("en"):
        (folder.path / "main.db").write_text("half a ledger")
        raise KeyboardInterrupt
    assert folder.told is None

    with folder.anew("zh"):
        assert not (folder.path / "main.db").exists()
        (folder.path / "main.db").write_text("a ledger")

    assert folder.told == "zh"


def test_two_at_once_do_not_empty_each_others_folder(tmp_path: Path) -> None:
    first, second = DemoFolder(tmp_path), DemoFolder(tmp_path)

    with first.anew("en"):
        (tmp_path / "main.db").write_text("a ledger")
        with pytest.raises(Refused, match="another demo is at work"), second.anew("en"):
            pytest.fail("it went on")
        assert (tmp_path / "main.db").exists()


def test_a_story_that_was_told_is_told_anew_only_with_a_word(tmp_path: Path) -> None:
    folder, said = DemoFolder(tmp_path), list[str]()
    for _ in range(2):
        with folder.anew("en", lambda: said.append("again")):
            (tmp_path / "main.db").write_text("a ledger")

    assert said == ["again"]


@pytest.mark.parametrize("name", [MARK, "telling.lock"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / MARK).write_text("en\n")
    (tmp_path / "demo" / name).unlink(missing_ok=True)
    (tmp_path / "demo" / name).symlink_to(tmp_path / "thesis.txt")

    with pytest.raises(LeptonError), DemoFolder(tmp_path / "demo").anew("en"):
        pytest.fail("it went on")

    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


@pytest.mark.parametrize(
    ("words", "env", "spoken"),
    [((), {}, "zh"), ((), {"LANGUAGE": "en_US:en"}, "zh"), (("LANGUAGE=en",), {"LANGUAGE": "de"}, "en")],
    ids=("unsaid", "gettext", "said"),
)
def test_make_speaks_the_language_that_it_is_told_and_not_gettexts(
    words: tuple[str, ...], env: dict[str, str], spoken: str
) -> None:
    known = {name: value for name, value in os.environ.items() if name not in ("LANGUAGE", "MAKEFLAGS")}
    command = ("make", "-n", "-C", str(MAKEFILE.parent), "demo", *words)
    told = subprocess.run(command, env=known | env, capture_output=True, text=True, check=True)

    assert f"--lang {spoken}\n" in told.stdout


def test_the_version_is_the_same_at_every_door() -> None:
    assert Cli(Path("unused"))("--version").out == f"lepton {lepton_ai.__version__}\n"
