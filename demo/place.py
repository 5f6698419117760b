"""The folder of the demo's ledger: which story was told in it, and how it is emptied for another."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import Refused
from ..permissions import denied
from ..results.words import Language

USUAL: Final = Path(".demo")
MARK: Final = "made-by-the-demo"
"""The file by which the demo knows its own folders; once a story was told to its end it holds the story's language."""
_LOCK: Final = "telling.lock"
_OF_THIS_PROCESS: Final = ("LEPTON_DEBUG", "LEPTON_LANG", "LEPTON_LOG", "LEPTON_METRICS", "LEPTON_WAIT")
"""Settings that lead to no other ledger."""


class DemoFolder:
    """A folder that the demo may fill, empty and fill again. Never one that something else made."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def told(self) -> Language | None:
        """The language of the story that was told here to its end, if one was, on this machine alone."""
        mark = self.path / MARK
        if mark.is_symlink() or not mark.is_file() or not (self.path / "main.db").is_file():
            return None
        language = mark.read_text().strip()
        return language if language in ("zh", "en") else None

    @contextmanager
    def anew(self, language: Language, again: Callable[[], None] = lambda: None) -> Generator[None]:
        """Empty the folder for a story, and note afterwards that it was told to its end.

        `again` says so before a story that was told is emptied. Raises `Refused` where something else made the folder,
        or another demo is at work in it: one that tells, or one that serves what was told.
        """
        mark = self.path / MARK
        known = mark.is_file() and not mark.is_symlink()
        if self.path.exists() and not known and not _is_empty(self.path):
            raise Refused(
                f"{self.path} was not made by the demo",
                python="choose another folder",
                cli="choose another by --home",
            )
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked(fcntl.LOCK_EX):
            if self.told is not None:
                again()
            _write(mark, "")
            _empty(self.path)
            yield
            _write(mark, f"{language}\n")

    @contextmanager
    def served(self) -> Generator[None]:
        """Hold the folder while its ledger is served: others may serve it too, and nobody empties it."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _locked(self, kind: int) -> Generator[None]:
        try:
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise denied(error, self.path / _LOCK, "locked") from error
        try:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused(
                    f"another demo is at work in {self.path}",
                    python="choose another folder, or stop it",
                    cli="choose another by --home, or stop it",
                ) from error
            yield
        finally:
            os.close(descriptor)


def alone(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment without the settings that lead to another ledger, its objects or its topics."""
    return {name: text for name, text in env.items() if not name.startswith("LEPTON_") or name in _OF_THIS_PROCESS}


@contextmanager
def environment(env: Mapping[str, str]) -> Generator[None]:
    """Have this process's environment be another."""
    before = dict(os.environ)
    _replace(env)
    try:
        yield
    finally:
        _replace(before)


def _replace(env: Mapping[str, str]) -> None:
    for name in os.environ.keys() - env.keys():
        del os.environ[name]
    os.environ.update(env)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _write(mark: Path, words: str) -> None:
    """Write the mark: never through a link, which may lead out of the folder."""
    try:
        descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise denied(error, mark, "written") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(words)


def _empty(path: Path) -> None:
    for each in path.iterdir():
        if each.name in (MARK, _LOCK):
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
