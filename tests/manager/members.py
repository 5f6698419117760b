"""Other users of this machine, for tests: processes that run under ids and groups of their own. They need root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TEAM: Final = 61000
"""A group that is nobody's first one."""

SITE: Final = (
    f"import site, sys; site.addsitedir({sysconfig.get_path('purelib')!r});"
    f"sys.path.insert(0, sys.path.pop(sys.path.index({sysconfig.get_path('purelib')!r})))\n"
)
"""So that a Python of the system finds what is installed here."""
LOGGED: Final = "import logging; logging.basicConfig(format='%(message)s', level=logging.INFO)\n"


@dataclass(frozen=True)
class Member:
    """A user, and the groups that he is in beside his own."""

    user: int
    groups: tuple[int, ...] = (TEAM,)
    umask: int = 0o022

    def run(self, *command: str | Path, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a program as this user in a folder."""
        quiet = {"PYTHONSAFEPATH": "1", "HOME": str(folder), "LEPTON_ACTOR": f"user{self.user}", "LEPTON_WAIT": "5"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LEPTON_")}
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=folder,
            env=kept | quiet | env,
            user=self.user,
            group=self.user,
            extra_groups=list(self.groups),
            umask=self.umask,
            check=False,
            timeout=120,
        )

    def lepton(self, *words: str | Path, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `lepton` as this user in a folder."""
        program = "from lepton_ai.cli import main; main()"
        return self.run(python(), "-c", SITE + program, *words, folder=folder, **env)

    def python(self, program: str, *words: str | Path, folder: Path, **env: str) -> str:
        """What a program prints that ends well."""
        done = self.run(python(), "-c", SITE + LOGGED + program, *words, folder=folder, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout


ADA: Final = Member(61001)
BOB: Final = Member(61002)
STRANGER: Final = Member(61003, groups=())


@cache
def python() -> str:
    """An interpreter of this version that everybody can run: it may lie where only its owner gets to. "" for none."""
    number = f"{sys.version_info.major}.{sys.version_info.minor}"
    for each in (
        sys.executable,
        shutil.which(f"python{number}", path=os.defpath),
        shutil.which("python3", path=os.defpath),
    ):
        if each and os.geteuid() == 0:
            try:
                told = STRANGER.run(each, "-c", f"{SITE}import lepton_ai, numpy, sys", folder=Path("/"))
            except (OSError, subprocess.SubprocessError):
                continue
            if told.returncode == 0:
                return each
    return ""


def can_be_others() -> bool:
    """Whether this machine lets the tests be somebody else: they are root, and there is such an interpreter."""
    return bool(python())


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody can go into, and Ada owns."""
    folder = Path(tempfile.mkdtemp(prefix="lepton-members-", dir="/tmp"))
    os.chown(folder, ADA.user, ADA.user)
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
