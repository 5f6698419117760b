"""The folder of the demo's ledger: which story was told in it, and how it is emptied for another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ..errors import Refused
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
        if not mark.is_file() or not (self.path / "main.db").is_file():
            return None
        language = mark.read_text().strip()
        return language if language in ("zh", "en") else None

    @contextmanager
    def anew(self, language: Language) -> Generator[None]:
        """Empty the folder for a story, and note afterwards that it was told to its end.

        Raises `Refused` where something else made it, or another demo is at work in it.
        """
        mark = self.path / MARK
        if self.path.exists() and not mark.is_file() and not _is_empty(self.path):
            raise Refused(
                f"{self.path} was not made by the demo",
                python="choose another folder",
                cli="choose another by --home",
            )
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / _LOCK, timeout=0):
                mark.write_text("")
                _empty(self.path)
                yield
                mark.write_text(f"{language}\n")
        except Timeout as error:
            raise Refused(
                f"another demo is at work in {self.path}",
                python="choose another folder, or wait for it",
                cli="choose another by --home, or wait for it",
            ) from error


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


def _empty(path: Path) -> None:
    for each in path.iterdir():
        if each.name in (MARK, _LOCK):
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
