"""The git checkout worked in: its commit, whether it is dirty, and what differs; git is asked where that may change.

Git goes by the times and sizes of files. So its answer is taken again while all that it depends on stands as it did:
the index, the place of HEAD, the configuration, every tracked file, and every folder in which it would see a new one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISLNK
from typing import Any, Final, Generic, TypeVar

from .git import PLACES, GitUnknown, asked
from .settings import FOLDER

MOST_WATCHED: Final = 1_000
"""Files and folders; beyond that git, which looks at them in several threads, is asked each time."""
SETTLED = 2_000_000_000
"""Nanoseconds in which a file may be changed twice without its times telling, on the coarsest file systems."""
_COMMIT: Final = b"# branch.oid "
_WORDS_BEFORE_PATH: Final = {b"1": 8, b"2": 9, b"u": 10, b"?": 1}
"""Of a line of `git status --porcelain=v2`, by its first word."""
_AS_PATH: Final = ("utf-8", "surrogateescape")
_CONFIGURATION: Final = ("config", "config.worktree", "HEAD", "info/attributes")
_STATE: Final = ("index", "logs/HEAD", "packed-refs", "reftable/tables.list", "info/exclude", "info/sparse-checkout")
_NEW: Final = "--untracked-files=normal"
"""Whatever the user is shown of them."""
_STATUS: Final = ("status", "--porcelain=v2", "-z", "--branch", "--ignore-submodules=dirty", _NEW)
_ALL: Final = ("--", ":/", f":(exclude,glob)**/{FOLDER}/**")
_SUBMODULE: Final = b"160000 "
_TAB: Final = b"\t"
_DEEPEST: Final = 5
"""References that lead to one another; git follows no more."""
_Stamp = tuple[tuple[int, ...], tuple[int, ...]] | None
"""Times, and what else tells one file from another."""
T = TypeVar("T")


def checkout() -> Checkout | None:
    """The checkout worked in. Git need not be started to say that there is none. Raises `GitUnknown`."""
    places = tuple(os.environ.get(name) for name in PLACES)
    try:
        here = Path.cwd()
    except OSError:
        return None
    marks = tuple((each, *told) for each in _marks(here) if (told := _mark(each)))
    if not any(places) and not marks:
        return None
    return _opened(here, places, marks, os.environ.get("HOME"), os.environ.get("XDG_CONFIG_HOME"))


@lru_cache(4)
def _marks(folder: Path) -> tuple[str, ...]:
    """What lies in a checkout or in a bare repository, which has its parts where others have `.git`, upwards."""
    return tuple(f"{each}/{name}" for each in (folder, *folder.parents) for name in (".git", "objects/."))


def _mark(path: str) -> tuple[object, ...] | None:
    """Which file or folder it is; of a folder, which is written to all the time, by what makes it a repository."""
    try:
        told = os.stat(path)  # noqa: PTH116 - the cheapest
    except (OSError, ValueError):
        return None
    if not S_ISDIR(told.st_mode):
        return (_stamp(path),)
    return told.st_dev, told.st_ino, _stamp(f"{path}/config"), _stamp(f"{path}/commondir")


@lru_cache(4)
def _opened(here: Path, places: tuple[str | None, ...], *_: object) -> Checkout:
    return Checkout(here, watched=not any(places))


class Checkout:
    """What git says of a checkout, remembered for as long as the files that it depends on stay as they are."""

    def __init__(self, here: Path, *, watched: bool = True) -> None:
        where = asked("rev-parse", "--show-toplevel", "--absolute-git-dir", "--git-common-dir").decode(*_AS_PATH)
        self._top, *self._folders = [here / each for each in where.split("\n")[:-1]]
        self._configuration = [folder / name for folder in self._folders for name in _CONFIGURATION]
        config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        people = (config + "/git/config", config + "/git/attributes", "~/.gitconfig", "/etc/gitconfig")
        self._configuration += [Path(each).expanduser() for each in people]
        self._ignores = Path(config + "/git/ignore").expanduser()
        self._silenced = Remembered[tuple[str, ...]]()
        self._difference = Remembered[str | None]()
        self._watch = Watch() if watched else None

    def look(self, facts: dict[str, Any]) -> None:
        """Note commit, dirty and diff as far as git tells them. Raises `GitUnknown`."""
        if self._watch is not None and (known := self._watch.known()) is not None:
            facts |= known
            return
        begun = time.time_ns()
        silenced = self._silenced.of(b"", self._configuration, self._filters)
        told = asked(*_STATUS, *_ALL, settings=silenced)
        lines = told.split(b"\0")
        commit = next((line.removeprefix(_COMMIT).decode() for line in lines if line.startswith(_COMMIT)), None)
        if commit in (None, "(initial)"):
            raise GitUnknown("the checkout has no commit yet")
        changed = [line for line in lines if line and not line.startswith(b"# ")]
        facts |= {"commit": commit, "dirty": bool(changed)}
        if changed and (difference := self._differing(told, changed, silenced)):
            facts["diff"] = difference
        if self._watch is not None:
            self._watch.note(told, facts, begun, lambda: self._depends_on(silenced))

    def _differing(self, told: bytes, changed: Sequence[bytes], silenced: tuple[str, ...]) -> str | None:
        """The digest of what differs from the commit, of a status with changes."""
        files = [self._top / path for path in _paths(changed)]
        return self._difference.of(told, [*self._configuration, *files], lambda: _difference(silenced))

    def _filters(self) -> tuple[str, ...]:
        """Settings that leave out every filter of contents that git is configured to run.

        Files that a filter would have rewritten, such as git-lfs's, are compared as they are then.
        """
        words = ("config", "-z", "--show-origin", "--list")
        told = asked(*words).decode(*_AS_PATH).split("\0")
        # files that are included from others
        origins = {self._top / each.removeprefix("file:") for each in told[:-1:2] if each.startswith("file:")}
        settings = [each.partition("\n") for each in told[1::2]]
        named = {"core.excludesfile", "core.attributesfile"}
        origins |= {self._top / Path(value).expanduser() for key, _, value in settings if key.lower() in named}
        self._configuration += sorted(origins.difference(self._configuration))
        names = {key.rpartition(".")[0] for key, _, _ in settings if key.startswith("filter.")}
        if any("=" in name for name in names):
            raise GitUnknown("git is configured to run a filter that cannot be left out")
        return tuple(f"{name}.{each}" for name in sorted(names) for each in ("clean=", "process=", "required=false"))

    def _depends_on(self, silenced: tuple[str, ...]) -> list[str] | None:
        """All whose change may change the status; None where that is too much, or not to be seen from outside."""
        entries = asked("ls-files", "-z", "--stage", "--full-name", "--", ":/").split(b"\0")[:-1]
        if len(entries) > MOST_WATCHED or any(entry.startswith(_SUBMODULE) for entry in entries):
            return None
        told = asked(*_STATUS, "--ignored=matching", *_ALL, settings=silenced).split(b"\0")
        ignored, new = ({line[2:].decode(*_AS_PATH) for line in told if line[:2] == word} for word in (b"! ", b"? "))
        top = str(self._top)
        files = [f"{top}/{entry.partition(_TAB)[2].decode(*_AS_PATH)}" for entry in entries]
        files += map(str, (*self._configuration, self._ignores, f"{top}/.git", *self._places_of_head()))
        for path in _seen_within(top, ignored, new):
            files.append(path)
            if len(files) > MOST_WATCHED:
                return None
        return sorted(set(files))

    def _places_of_head(self) -> Iterator[Path]:
        """The index, and the files that say which commit it is."""
        for folder in self._folders:
            yield from (folder / name for name in _STATE)
        name = "HEAD"
        for _ in range(_DEEPEST):
            text = next((text for folder in self._folders if (text := _text(folder / name))), "")
            if not text.startswith("ref: refs/"):
                return
            name = text.removeprefix("ref: ").strip()
            yield from (folder / name for folder in self._folders)


def _seen_within(top: str, ignored: set[str], new: set[str]) -> Iterator[str]:
    """The folders in which git would see a new file, and what they say of files to ignore."""
    folders = [""]
    while folders:
        inner = folders.pop()
        yield f"{top}/{inner}"
        try:
            entries = list(os.scandir(f"{top}/{inner}"))
        except OSError:  # it went meanwhile: the stamp of the folder above tells
            continue
        if inner in new and any(entry.name == ".git" for entry in entries):
            continue  # a repository of its own, which git does not look into
        for entry in entries:
            if entry.name in (".gitignore", ".gitattributes"):
                yield entry.path
            elif entry.is_dir(follow_symlinks=False) and entry.name not in (".git", FOLDER):
                folders += {f"{inner}{entry.name}/"} - ignored


class Watch:
    """Facts that stand while what they depend on is as it was when they were found."""

    def __init__(self) -> None:
        self._kept: tuple[dict[str, Any], tuple[tuple[str, _Stamp], ...]] | None = None
        self._told = b""
        self._next = 0.0

    def known(self) -> dict[str, Any] | None:
        """The facts of before, None where they may be others now."""
        if (kept := self._kept) is None:
            return None
        facts, stands = kept
        if all(_stamp(path) == stamp for path, stamp in stands):
            return facts
        self._kept = None
        return None

    def note(self, told: bytes, facts: dict[str, Any], begun: int, depends_on: Callable[[], list[str] | None]) -> None:
        """Keep facts that git told the second time, on a question that began then, if nothing has only just changed."""
        same, self._told, now = told == self._told, told, time.monotonic()
        if not same or now < self._next:
            return
        self._next = now + SETTLED / 1e9
        if (files := depends_on()) is None:
            self._next = float("inf")
            return
        stands = tuple((path, _stamp(path)) for path in files)
        if _settled((stamp for _, stamp in stands), begun):
            self._kept = dict(facts), stands


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
        self._kept = ((text, stands), answer) if _settled(stands.values(), begun) else None
        return answer


def _settled(stamps: Iterable[_Stamp], begun: int) -> bool:
    """Whether all was as it is long before a moment: what changes from now on has other times."""
    return all(stamp is None or max(stamp[0]) < begun - SETTLED for stamp in stamps)


def _stamp(file: str | Path) -> _Stamp:
    """Of a link its own and that of the file that it leads to; what lies in a folder behind a link is not of git."""
    try:
        told = os.lstat(file)
    except (OSError, ValueError):
        return None
    times, others = (told.st_mtime_ns, told.st_ctime_ns), (told.st_size, told.st_ino)
    if not S_ISLNK(told.st_mode):
        return times, others
    try:
        led = os.stat(file)  # noqa: PTH116 - the cheapest
    except OSError:
        return times, others
    if S_ISDIR(led.st_mode):
        return times, (*others, led.st_dev, led.st_ino)
    return (*times, led.st_mtime_ns, led.st_ctime_ns), (*others, led.st_size, led.st_ino)


def _text(file: Path) -> str:
    try:
        return file.read_text(*_AS_PATH)
    except (OSError, ValueError):
        return ""


def _paths(changed: Iterable[bytes]) -> Iterator[str]:
    """The paths in the lines of a status; of a renamed file the next line is what it was called."""
    lines = iter(changed)
    for line in lines:
        yield line.split(b" ", _WORDS_BEFORE_PATH.get(line[:1], 0))[-1].decode(*_AS_PATH)
        if line.startswith(b"2"):
            next(lines, None)


def _difference(silenced: tuple[str, ...]) -> str | None:
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short", "--ignore-submodules=dirty")
    diff = asked("diff", "HEAD", *plain, settings=silenced)
    return f"sha256:{sha256(diff).hexdigest()}" if diff else None
