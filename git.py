"""Git, asked a question while it runs nothing else that a repository names."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

PLACES: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES")
"""Of git's own settings in the environment, those that say where it looks."""
PATIENCE: float = 10.0
"""Seconds that git may take for an answer."""
_ALONE: Final = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "status.submoduleSummary=false",
)
"""What git is told, whatever the repository says."""
_QUIET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # a partial clone would fetch what it lacks, by whatever program its remote names
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    # its complaints are told apart by their words
    "LC_ALL": "C",
}
_COMPLAINTS: Final = {
    b"dubious ownership": "git does not trust the checkout, which somebody else owns (dubious ownership)",
    b"not a git repository": "git cannot read the checkout",
    b"must be run in a work tree": "the repository has no work tree",
}
"""What git says on stderr, and what that means, without what it quotes."""


class GitUnknown(Exception):
    """Git does not tell; the words say why, without a path or name."""


def asked(*arguments: str, settings: tuple[str, ...] = ()) -> bytes:
    """What git says while it runs nothing else: no monitor, hook, pager or transport. Raises `GitUnknown`."""
    given = [word for setting in (*_ALONE, *settings) for word in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in PLACES}
    path, program = _program(kept.get("PATH", ""))
    if program is None:
        raise GitUnknown("git is not installed")
    try:
        code, told, complaint = _ended((program, "--no-pager", *given, *arguments), {**kept, "PATH": path, **_QUIET})
    except subprocess.TimeoutExpired:
        raise GitUnknown(f"git {arguments[0]} took longer than {PATIENCE:g} s") from None
    except (OSError, ValueError) as error:
        raise GitUnknown(f"git could not be run ({type(error).__name__})") from None
    if code == 0:
        return told
    known = next((why for words, why in _COMPLAINTS.items() if words in complaint), None)
    raise GitUnknown(known or f"git {arguments[0]} failed (exit code {code})")


def head() -> str | None:
    """The commit, where a look at the files is too much for git."""
    try:
        return asked("rev-parse", "--verify", "HEAD").decode().strip()
    except GitUnknown:
        return None


def _ended(command: Sequence[str], env: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """How a program ended and what it said. Where it takes too long it is killed, with those that it has started."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, process_group=0
    ) as process:
        try:
            told, complaint = process.communicate(timeout=PATIENCE)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, told, complaint


@lru_cache(4)
def _program(path: str) -> tuple[str, str | None]:
    """The folders of PATH that are the same wherever one stands, and the git in them."""
    path = os.pathsep.join(each for each in path.split(os.pathsep) if Path(each).is_absolute())
    return path, shutil.which("git", path=path)
