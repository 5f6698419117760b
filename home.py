"""The home of a ledger: which folder it is, whose it is, and how it is made."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from .errors import Malformed, Refused
from .permissions import PRIVATE, SHARED, denied, is_folder, open_file, read_file, set_mode, shared

FOLDER: Final = ".lepton"
SAFE: Final = "LEPTON_SAFE_HOMES"
_LONGEST_ID: Final = 200
Source = Literal["named", "above", "here"]
"""Named by the caller or LEPTON_HOME; found in this folder or above it; or none: then this is where it would be."""

log = logging.getLogger("lepton")
_WINDOWS: Final = re.compile(r"/?[A-Za-z]:([\\/]|$)|\\\\")


def chosen(given: str | os.PathLike[str] | None, env: Mapping[str, str] = os.environ) -> tuple[Path, Source]:
    """The folder given, else LEPTON_HOME, else the nearest `.lepton` upwards, else where a new one would be made.

    Nothing is made. Raises `Malformed` for what is no path of this system, `Refused` for a home found upwards that
    belongs to somebody else.
    """
    if given is not None:
        return _fit(checked_path(os.fspath(given), "the home given"), "the home given"), "named"
    if "LEPTON_HOME" in env:
        return _fit(checked_path(env["LEPTON_HOME"], "LEPTON_HOME"), "LEPTON_HOME"), "named"
    try:
        here = Path.cwd()
    except OSError as error:
        raise Refused("this folder was removed; go to another, or name a home by LEPTON_HOME") from error
    for folder in (here, *here.parents):
        if is_folder(folder / FOLDER):
            _check_trusted(folder / FOLDER, env)
            return _fit(folder / FOLDER, "the home found"), "here" if folder == here else "above"
    return _fit(here / FOLDER, "the home here"), "here"


def is_url(home: str) -> bool:
    """Whether a home is a server's: its address, not a folder."""
    return home.lower().startswith(("https://", "http://"))


def checked_path(given: str | bytes, what: str) -> Path:
    """A path of this system, made absolute, `~` filled in; `Malformed` where it plainly is none."""
    text = os.fsdecode(given)
    if "://" in text:
        raise Malformed(f"a home is a folder or a server's https:// address; {text.split('://')[0]}:// is neither")
    if not text.strip():
        raise Malformed(f"{what} is empty; name a folder, or leave it out")
    _check_printable(text, what)
    if os.name == "posix" and (_WINDOWS.match(text) or "\\" in text) and not _is_here(Path(text)):
        raise Malformed(f"{what} is {text!r}, which is no path of this system; name a folder with forward slashes")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise Malformed(f"{what} is {text!r}, and there is no such user; name a folder") from None


def _fit(home: Path, what: str) -> Path:
    """A home that every library which opens files in it can name; `Malformed` where one could not.

    DuckDB takes what follows a `?` for options, and a backslash for the end of a folder's name.
    """
    _check_printable(str(home), what)
    if odd := next((each for each in "?\\" if each in str(home)), None):
        raise Malformed(
            f"{what} is {str(home)!r}, and no views can be kept where a path has a {odd}",
            python="name a folder without, by home= or LEPTON_HOME",
            cli="name a folder without, by --home or LEPTON_HOME",
        )
    return home


def _check_printable(text: str, what: str) -> None:
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise Malformed(f"{what} is {text[:80]!r}, which is no UTF-8; name a folder whose path is text")
    if not text.isprintable():
        raise Malformed(f"{what} is {text[:80]!r}, which holds control characters; name a folder")


def _is_here(path: Path) -> bool:
    """Whether whatever in a path looks like another system's is there all the same."""
    odd = (each for each in (path, *path.parents) if "\\" in each.name or _WINDOWS.match(str(each)))
    first = max(odd, key=lambda each: len(each.parts) if each.name else 0, default=path)
    return first.exists()


@dataclass(frozen=True, slots=True)
class HomeFolder:
    """The folder of a home and, by the file `<ledger>.id` in it, the ledger whose objects and views lie there.

    Homes that were made before there was such a file get one from whoever next writes to them.
    """

    path: Path
    ledger: str

    @property
    def marker(self) -> Path:
        """The file that names the ledger's id."""
        return self.path / f"{self.ledger}.id"

    def is_there(self) -> bool:
        """Whether there is such a folder. `Refused` where something else is."""
        try:
            if not stat.S_ISDIR(self.path.stat().st_mode):
                raise Refused(f"{self.path} is not a folder; a home is one")
        except FileNotFoundError:
            return False
        except NotADirectoryError as error:
            raise Refused(f"{self.path} is not a folder; a home is one") from error
        except OSError as error:
            raise denied(error, self.path, "read") from error
        return True

    def make(self, *, for_group: bool = False) -> bool:
        """Make the folder where it is missing or empty: for its owner alone, or for a group; whether it was made.

        It is a group's where that is asked for, and where both the umask and the folder around it say so.
        """
        try:
            fresh = not self.is_there()
            if fresh:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                for_group = for_group or (_group_may_write() and bool(self.path.parent.stat().st_mode & stat.S_ISGID))
                self.path.mkdir(PRIVATE, exist_ok=True)
                set_mode(self.path, SHARED if for_group else PRIVATE)
            elif not any(self.path.iterdir()):
                self._appoint(for_group)
            if fresh and self.path.name == FOLDER:
                self._write(self.path / ".gitignore", "*\n")
        except (FileExistsError, NotADirectoryError) as error:
            raise Refused(f"{self.path} is not a folder; a home is one") from error
        except OSError as error:
            raise denied(error, self.path, "made") from error
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise denied(PermissionError(13, ""), self.path, "written")
        return fresh

    def _appoint(self, for_group: bool) -> None:
        mine = self.path.stat().st_uid == os.geteuid()
        if mine and not shared(self.path):
            set_mode(self.path, SHARED if for_group else PRIVATE)

    def id(self) -> str | None:
        """The id of the ledger whose home this is, None where nothing tells."""
        try:
            return read_file(self.marker, _LONGEST_ID).decode("ascii", "replace").strip() or None
        except FileNotFoundError:
            return None
        except ValueError:
            raise Refused(
                f"{self.marker} does not name a ledger, for it is no file or a large one; remove it, and the next call "
                "writes it anew"
            ) from None
        except OSError as error:
            raise denied(error, self.marker, "read") from error

    def check(self, ledger_id: str, database: str) -> None:
        """Raise `Refused` where the home is of another ledger than the database; a home that says nothing is told."""
        known = self.id()
        if known is None:
            with suppress(OSError):  # whoever may only read it changes nothing
                self._write(self.marker, f"{ledger_id}\n")
        elif known != ledger_id:
            raise Refused(
                f"{self.path} is the home of ledger {known}, and {database} holds ledger {ledger_id}; give that "
                f"database a home of its own, or put the database of {known} back"
            )

    def check_unused(self, objects: Path | None, database: str) -> None:
        """Raise `Refused` where a new ledger would be made among the objects and views of another."""
        known = self.id()
        places = [place for place in (objects and objects / self.ledger / "packs", self.path / "read") if place]
        left = next((place for place in places if _holds_any(place, self.ledger)), None)
        if known is None and left is None:
            return
        whose = f"ledger {known}" if known else f"a ledger whose data is in {left}"
        raise Refused(
            f"{database} holds no ledger, and {self.path} is the home of {whose}: put its database back (from a "
            "backup, or `lepton restore --from kafka`), or move that home away to begin a new one"
        )

    def openness(self) -> str:
        """Who may use it: its `owner` alone, `group NAME`, or `everybody` who has an account on this machine."""
        if not self.is_there():
            return "nobody yet"
        status = self.path.stat()
        if status.st_mode & (stat.S_IROTH | stat.S_IXOTH):
            return "everybody"
        return f"group {_group(status.st_gid)}" if status.st_mode & stat.S_IRWXG else "its owner"

    def _write(self, path: Path, text: str) -> None:
        descriptor = open_file(path, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def group_id(name: str) -> int:
    """The number of a group of this machine, by its name or as it is. Raises `Refused` where there is none."""
    from grp import getgrnam

    try:
        return int(name) if name.isdecimal() else getgrnam(name).gr_gid
    except KeyError:
        raise Refused(f"there is no group {name!r} on this machine; `getent group` lists them") from None


def appoint(path: Path, *, for_group: bool, group: int | None = None) -> int:
    """Give a home and all in it to its owner alone, or to a group, else its own: how many modes were changed."""
    changed = 0
    if group is not None:
        try:
            os.chown(path, -1, group)
        except OSError as error:
            raise denied(error, path, f"given to group {group}") from error
    for folder, _, files in os.walk(path):
        for place in (Path(folder), *(Path(folder, name) for name in files)):
            status = place.lstat()
            if stat.S_ISLNK(status.st_mode):
                continue
            mode = (
                (SHARED if for_group else PRIVATE) if stat.S_ISDIR(status.st_mode) else (0o660 if for_group else 0o600)
            )
            if stat.S_IMODE(status.st_mode) != mode:
                try:
                    set_mode(place, mode, path)
                except OSError as error:
                    raise denied(error, place, "given to others") from error
                changed += 1
    return changed


def _check_trusted(home: Path, env: Mapping[str, str]) -> None:
    """As git does for repositories: what others put above one's folders must not decide what one's commands do."""
    status = home.stat()
    mine = {os.geteuid()}
    if os.geteuid() == 0 and env.get("SUDO_UID", "").isdigit():
        mine.add(int(env["SUDO_UID"]))
    owners = {status.st_uid, home.lstat().st_uid}
    own_group = status.st_mode & stat.S_IWGRP and status.st_gid in {os.getegid(), *os.getgroups()}
    safe = [each for each in env.get(SAFE, "").split(os.pathsep) if each]
    if owners <= mine or own_group or "*" in safe or any(Path(each).expanduser() == home for each in safe):
        return
    raise Refused(
        f"{home}, which nobody named, belongs to {_user(status.st_uid)}; if you trust whoever that is, name it by "
        f"LEPTON_HOME, or list it in {SAFE}"
    )


def _group_may_write() -> bool:
    """Whether the umask leaves the group its right to write; read without setting it, which threads would notice."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return not int(next(line for line in lines if line.startswith("Umask:")).split()[1], 8) & stat.S_IWGRP
    before = os.umask(0o077)
    os.umask(before)
    return not before & stat.S_IWGRP


def _holds_any(folder: Path, ledger: str) -> bool:
    with suppress(OSError):
        return any(
            folder.name != "read" or (each.name.startswith(f"{ledger}-") and each.suffix == ".duckdb")
            for each in folder.iterdir()
        )
    return False


def _user(number: int) -> str:
    with suppress(KeyError, ImportError):
        from pwd import getpwuid

        return getpwuid(number).pw_name
    return f"user {number}"


def _group(number: int) -> str:
    with suppress(KeyError, ImportError):
        from grp import getgrgid

        return getgrgid(number).gr_name
    return str(number)
