"""What a version was made with: the software and the source code, without a path, host or name."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from .settings import FOLDER

_ALONE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "status.submoduleSummary=false",
)
"""What git is told, whatever the repository says."""
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # a partial clone would fetch what it lacks, by whatever program its remote names
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    # its complaints are told apart by their words
    "LC_ALL": "C",
}
_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES")
"""Of git's own settings in the environment, those that say where it looks."""
PATIENCE: float = 10.0
"""Seconds that git may take for an answer."""
_COMPLAINTS: Final = {
    b"dubious ownership": "git does not trust the checkout, which somebody else owns (dubious ownership)",
    b"not a git repository": "git cannot read the checkout",
    b"must be run in a work tree": "the repository has no work tree",
}
"""What git says on stderr, and what that means, without what it quotes."""
T = TypeVar("T")
_PACKAGES = ("lepton-ai-sdk", "torch", "numpy", "scikit-learn", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Python, platform, the versions of the packages that shape results, and accelerators by their kind."""
    facts = {**_software(), "packages": dict(_packages())}
    if (torch := sys.modules.get("torch")) is not None and (devices := _accelerators(torch)):
        facts["accelerators"] = list(devices)
    return facts


@lru_cache
def _software() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}


@lru_cache
def _packages() -> dict[str, str]:
    """The versions that were installed when it was first asked, which are those that a process has imported."""
    return {name: number for name in _PACKAGES if (number := _installed(name))}


@lru_cache
def _accelerators(torch: Any) -> tuple[str, ...]:
    if not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count()))


def code() -> dict[str, Any]:
    """The commit of the checkout worked in, whether it is dirty, and the digest of what differs; {} outside of git.

    A file that git does not know makes it dirty too: it may be the very script that ran. Homes of ledgers do not, nor
    does what is changed within submodules. No program that the repository names is run. Git is asked each time, once;
    what its configuration says and what differs is asked again where files of these have changed. Where git fails,
    refuses or takes too long, `unknown` says why, and what it did not tell is missing; `dirty` is then None.
    """
    facts: dict[str, Any] = {}
    try:
        if (checkout := _checkout()) is None:
            return {}
        facts |= {"commit": None, "dirty": None}
        _look(checkout, facts)
    except _Unknown as error:
        if facts.get("dirty") is None:
            commit = _head() if facts else None
            facts = {"commit": commit, "dirty": None} if commit else {}
        facts["unknown"] = str(error)
    return facts


class _Unknown(Exception):
    """Git does not tell; the words say why, without a path or name."""


def _look(checkout: Checkout, facts: dict[str, Any]) -> None:
    """Note commit, dirty and diff as far as git tells them. Raises `_Unknown`."""
    silenced = checkout.silenced()
    look = ("--porcelain=v2", "-z", "--branch", "--ignore-submodules=dirty", "--", ":/")
    told = _git("status", *look, f":(exclude,glob)**/{FOLDER}/**", settings=silenced)
    lines = told.split(b"\0")
    commit = next((line.removeprefix(_COMMIT).decode() for line in lines if line.startswith(_COMMIT)), None)
    if commit in (None, "(initial)"):
        raise _Unknown("the checkout has no commit yet")
    changed = [line for line in lines if line and not line.startswith(b"# ")]
    facts |= {"commit": commit, "dirty": bool(changed)}
    if changed and (difference := checkout.difference(told, changed, silenced)):
        facts["diff"] = difference


def _head() -> str | None:
    """The commit, where a look at the files is too much for git."""
    try:
        return _git("rev-parse", "--verify", "HEAD").decode().strip()
    except _Unknown:
        return None


_COMMIT: Final = b"# branch.oid "
_WORDS_BEFORE_PATH: Final = {b"1": 8, b"2": 9, b"u": 10, b"?": 1}
"""Of a line of `git status --porcelain=v2`, by its first word."""


def _checkout() -> Checkout | None:
    """The checkout worked in. Git need not be started to say that there is none."""
    places = tuple(os.environ.get(name) for name in _PLACES)
    try:
        here = Path.cwd()
    except OSError:
        return None
    # a bare repository has its parts where others have `.git`
    if not any(places) and not any((each / ".git").exists() or (each / "objects").is_dir() for each in _upwards(here)):
        return None
    return _opened(here, places, os.environ.get("HOME"), os.environ.get("XDG_CONFIG_HOME"))


@lru_cache(4)
def _upwards(folder: Path) -> tuple[Path, ...]:
    return folder, *folder.parents


@lru_cache(4)
def _opened(here: Path, *_: object) -> Checkout:
    return Checkout(here)


class Checkout:
    """What git says of a checkout, remembered for as long as the files that it depends on stay as they are."""

    def __init__(self, here: Path) -> None:
        where = _git("rev-parse", "--show-toplevel", "--absolute-git-dir", "--git-common-dir").decode(*_AS_PATH)
        self._top, *folders = [here / each for each in where.split("\n")[:-1]]
        self._configuration = [folder / name for folder in folders for name in _CONFIGURATION]
        config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        people = (config + "/git/config", config + "/git/attributes", "~/.gitconfig", "/etc/gitconfig")
        self._configuration += [Path(each).expanduser() for each in people]
        self._silenced = Remembered[tuple[str, ...]]()
        self._difference = Remembered[str | None]()

    def silenced(self) -> tuple[str, ...]:
        """Settings that leave out every filter of contents that git is configured to run.

        Files that a filter would have rewritten, such as git-lfs's, are compared as they are then.
        """
        return self._silenced.of(b"", self._configuration, self._filters)

    def difference(self, told: bytes, changed: Sequence[bytes], silenced: tuple[str, ...]) -> str | None:
        """The digest of what differs from the commit, of a status with changes."""
        files = [self._top / path for path in _paths(changed)]
        return self._difference.of(told, [*self._configuration, *files], lambda: _differing(silenced))

    def _filters(self) -> tuple[str, ...]:
        words = ("config", "-z", "--show-origin", "--list")
        told = _git(*words).decode(*_AS_PATH).split("\0")
        # files that are included from others
        origins = {self._top / each.removeprefix("file:") for each in told[:-1:2] if each.startswith("file:")}
        self._configuration += sorted(origins.difference(self._configuration))
        keys = [each.partition("\n")[0] for each in told[1::2]]
        names = {key.rpartition(".")[0] for key in keys if key.startswith("filter.")}
        if any("=" in name for name in names):
            raise _Unknown("git is configured to run a filter that cannot be left out")
        return tuple(f"{name}.{each}" for name in sorted(names) for each in ("clean=", "process=", "required=false"))


_AS_PATH: Final = ("utf-8", "surrogateescape")
_CONFIGURATION: Final = ("config", "config.worktree", "HEAD", "info/attributes")
_SETTLED: Final = 2_000_000_000
"""Nanoseconds in which a file may be changed twice without its times telling, on the coarsest file systems."""


class Remembered(Generic[T]):
    """An answer that stays right while a text and some files stay as they are."""

    def __init__(self) -> None:
        self._kept: tuple[object, T] | None = None

    def of(self, text: bytes, files: Sequence[Path], ask: Callable[[], T]) -> T:
        """The answer of before, or asked anew; one whose files have only just changed is not kept."""
        stands = {file: _stamp(file) for file in files}
        if self._kept is not None and self._kept[0] == (text, stands):
            return self._kept[1]
        begun = time.time_ns()
        answer = ask()
        stands |= {file: _stamp(file) for file in files}
        settled = all(stamp is None or max(stamp[:2]) < begun - _SETTLED for stamp in stands.values())
        self._kept = ((text, stands), answer) if settled else None
        return answer


def _stamp(file: Path) -> tuple[int, int, int, int] | None:
    try:
        told = file.lstat()
    except (OSError, ValueError):
        return None
    return told.st_mtime_ns, told.st_ctime_ns, told.st_size, told.st_ino


def _paths(changed: Iterable[bytes]) -> Iterator[str]:
    """The paths in the lines of a status; of a renamed file the next line is what it was called."""
    lines = iter(changed)
    for line in lines:
        yield line.split(b" ", _WORDS_BEFORE_PATH.get(line[:1], 0))[-1].decode(*_AS_PATH)
        if line.startswith(b"2"):
            next(lines, None)


def _differing(silenced: tuple[str, ...]) -> str | None:
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short", "--ignore-submodules=dirty")
    diff = _git("diff", "HEAD", *plain, settings=silenced)
    return f"sha256:{sha256(diff).hexdigest()}" if diff else None


def _git(*arguments: str, settings: tuple[str, ...] = ()) -> bytes:
    """What git says while it runs nothing else: no monitor, hook, pager or transport. Raises `_Unknown`."""
    given = [word for setting in (*_ALONE, *settings) for word in ("-c", setting)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _PLACES}
    path, program = _program(kept.get("PATH", ""))
    if program is None:
        raise _Unknown("git is not installed")
    try:
        code, told, complaint = _ended((program, "--no-pager", *given, *arguments), {**kept, "PATH": path, **_QUIET})
    except subprocess.TimeoutExpired:
        raise _Unknown(f"git {arguments[0]} took longer than {PATIENCE:g} s") from None
    except (OSError, ValueError) as error:
        raise _Unknown(f"git could not be run ({type(error).__name__})") from None
    if code == 0:
        return told
    known = next((why for words, why in _COMPLAINTS.items() if words in complaint), None)
    raise _Unknown(known or f"git {arguments[0]} failed (exit code {code})")


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


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
