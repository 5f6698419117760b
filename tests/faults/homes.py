"""Homes that are moved, removed, replaced and emptied under living writers: what was acknowledged can be found."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.audit import verify
from lepton_ai.events.sql.store import Store
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..asking import commit

TITLE: Final = "homes are moved, removed, replaced and emptied while three processes write to them"

ROUNDS: Final = 32
WRITERS: Final = 3
PATIENCE: Final = 180.0
ROOT: Final = Path(__file__).parents[2]


@dataclass
class Scene:
    """A home, its writers, and all files that were in its place before."""

    folder: Path
    chance: random.Random
    writers: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    kept: list[Path] = field(default_factory=list[Path])
    """Folders that hold a `main.db` which was in the place once."""

    @property
    def home(self) -> Path:
        """Where the writers write."""
        return self.folder / "home"

    @property
    def told(self) -> Path:
        """Where the writers note what was acknowledged."""
        return self.folder / "told"

    def begin(self) -> None:
        """Start the writers."""
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "LEPTON_WAIT": "5"}
        program = ROOT / "tests" / "programs" / "home_writer.py"
        command = [sys.executable, str(program), str(self.home), str(self.told)]
        before = self.lines().count("# begun")
        for _ in range(WRITERS):
            self.writers.append(subprocess.Popen(command, stdin=subprocess.PIPE, env=environment))
        self._until(lambda: self.lines().count("# begun") == before + WRITERS, "all writers begin")
        self.progress()

    def end(self) -> None:
        """Let the writers end."""
        while self.writers:
            writer = self.writers.pop()
            writer.communicate(timeout=PATIENCE)
            assert writer.returncode == 0, f"a writer ended with {writer.returncode}"

    def acknowledged(self) -> list[str]:
        """The keys that the writers were told are recorded."""
        return [line.split()[0] for line in self.lines() if not line.startswith("#")]

    def lines(self) -> list[str]:
        return self.told.read_text().splitlines() if self.told.exists() else []

    def progress(self) -> None:
        """Wait until something more is acknowledged to each writer."""
        before = len(self.lines())
        self._until(lambda: self._heard(before, refused=False), "all writers go on")

    def noticed(self) -> None:
        """Wait until each writer was refused."""
        before = len(self.lines())
        self._until(lambda: self._heard(before, refused=True), "all writers notice")

    def _heard(self, before: int, *, refused: bool) -> bool:
        """Whether each writer, behind so many lines, was told that its commit is refused, or that it is recorded."""
        lines = [line.split(maxsplit=3) for line in self.lines()[before:]]
        told = [words for words in lines if (words[0] == "#") == refused and words[1:] != ["begun"]]
        heard = {int(words[2 if refused else 1]) for words in told}
        return heard >= {writer.pid for writer in self.writers}

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert all(writer.poll() is None for writer in self.writers), "a writer died"
            assert time.monotonic() < deadline, f"it never came true that {what}"
            time.sleep(0.01)

    def put_away(self, what: str) -> Path:
        """Move a file of the home to a folder of its own, which is kept."""
        away = Path(tempfile.mkdtemp(dir=self.folder, prefix="kept-"))
        (self.home / what).rename(away / what)
        return away / what


def moved(scene: Scene) -> None:
    """The home is moved away and back."""
    away = scene.home.rename(scene.folder / "away")
    scene.noticed()
    assert not scene.home.exists(), "somebody made a home anew in the place of the one that was moved"
    away.rename(scene.home)


def emptied(scene: Scene) -> None:
    """The database is moved away, an empty file stands in its place for a while."""
    away = scene.put_away("main.db")
    (scene.home / "main.db").touch()
    scene.noticed()
    assert (scene.home / "main.db").stat().st_size == 0, "a new ledger was made in the place of one that is gone"
    away.replace(scene.home / "main.db")


def another(scene: Scene) -> None:
    """The database of another ledger stands in its place for a while."""
    away = scene.put_away("main.db")
    shutil.copy(scene.folder / "other" / "main.db", scene.home / "main.db")
    scene.noticed()
    content = (scene.home / "main.db").read_bytes()
    assert content == (scene.folder / "other" / "main.db").read_bytes(), "somebody wrote to another ledger"
    away.replace(scene.home / "main.db")


def set_back(scene: Scene) -> None:
    """A backup is moved over the database; whoever writes begins anew."""
    copy = _backup(scene)
    scene.progress()
    scene.kept.append(scene.put_away("main.db").parent)
    copy.rename(scene.home / "main.db")
    scene.noticed()
    scene.end()
    scene.begin()


def returned(scene: Scene) -> None:
    """A backup is moved over the database; the newer one comes back, and whoever writes goes on."""
    copy = _backup(scene)
    scene.progress()
    newer = scene.put_away("main.db")
    copy.rename(scene.home / "main.db")
    scene.noticed()
    newer.replace(scene.home / "main.db")


def unlogged(scene: Scene) -> None:
    """The write-ahead log is removed, its index too; whoever is told so begins anew."""
    for name in scene.chance.choice((("main.db-wal",), ("main.db-shm",), ("main.db-wal", "main.db-shm"))):
        (scene.home / name).unlink(missing_ok=True)
    time.sleep(scene.chance.uniform(0.0, 0.2))
    scene.end()
    scene.begin()


def removed(scene: Scene) -> None:
    """The whole home is away for good, and made again from a backup; whoever writes begins anew."""
    copy = _backup(scene)
    scene.kept.append(scene.home.rename(Path(tempfile.mkdtemp(dir=scene.folder)) / "home"))
    scene.noticed()
    scene.end()
    scene.home.mkdir()
    copy.rename(scene.home / "main.db")
    scene.begin()


def without_locks(scene: Scene) -> None:
    """Every lock's file is removed."""
    for path in [*scene.home.glob("*.moving"), *scene.home.glob("*.assigner"), *scene.home.glob("**/lock")]:
        path.unlink(missing_ok=True)


DISTURBANCES: Final = (moved, emptied, another, set_back, returned, removed, unlogged, without_locks)


def _backup(scene: Scene) -> Path:
    copy = Path(tempfile.mkdtemp(dir=scene.folder)) / "main.db"
    with closing(sqlite3.connect(scene.home / "main.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _keys(folder: Path) -> set[str]:
    database = database_at(f"sqlite:///{folder / 'main.db'}", "main", wait=30)
    try:
        verify(Store(database))
        with database.connection() as connection:
            return {key for (key,) in connection.execute('SELECT "key" FROM events WHERE "key" IS NOT NULL')}
    finally:
        database.close()


def disturb(folder: Path, rounds: int, seed: int, say: Callable[[str], None]) -> None:
    """Disturb a home in an order drawn from the seed, each way at least once where there are rounds enough."""
    chance = random.Random(seed)
    scene = Scene(folder, chance)
    for name in ("home", "other"):
        home = Home(load(folder / name))
        home.workspace.ledger.admit(commit(1), home.workspace.actors.named("Ada"))
        home.close()
    scene.begin()
    order = [DISTURBANCES[n % len(DISTURBANCES)] for n in range(rounds)]
    chance.shuffle(order)
    for disturbance in order:
        time.sleep(chance.uniform(0.0, 0.2))  # at any moment of their work
        disturbance(scene)
        scene.progress()
    scene.end()
    refusals = Counter(line.split()[1] for line in scene.lines() if line.startswith("#") and line != "# begun")
    found = [_keys(place) for place in (scene.home, *scene.kept)]
    acknowledged = scene.acknowledged()
    lost = [key for key in acknowledged if not any(key in keys for keys in found)]
    say(f"{dict(Counter(each.__name__ for each in order))}")
    say(f"{len(acknowledged)} acknowledged, {dict(refusals)} told, found in {len(found)} files, {len(lost)} lost")
    assert not lost, f"{len(lost)} acknowledged commits are nowhere: {lost[:3]}"


def suffer(seed: int, say: Callable[[str], None]) -> None:
    """The long form: each disturbance four times."""
    with tempfile.TemporaryDirectory(prefix="lepton-homes-") as folder:
        disturb(Path(folder), ROUNDS, seed, say)
