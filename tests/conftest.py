"""What tests share: a home of their own, and a ledger's store on each of the two databases."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar
from uuid import uuid4

import httpx
import pytest
from hypothesis import settings

from lepton_ai.events.actor import Actor
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.database import Database
from lepton_ai.events.sql.store import Store
from lepton_ai.jobs import wait
from lepton_ai.ledger import Ledger
from lepton_ai.projections.file import ViewsFile
from lepton_ai.projections.instance import opened
from lepton_ai.workers import tasks as tasks

from .asking import PATIENCE
from .broker import Kafka
from .buckets import S3, Azure
from .jobs.office import office as office
from .pooler import PgBouncer
from .servers import NotHere, PostgreSQL, chromium
from .warm import WarmPopen, warm

B = TypeVar("B", PostgreSQL, PgBouncer, Kafka, S3, Azure)

gc.disable()  # until all tests are collected
# where pytest was begun by `-m` the checkout stands on the path, and our optuna.py before Optuna
sys.path[:] = [place for place in sys.path if Path(place).resolve() != Path(__file__).parents[1]]
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=2000)
# COLUMNS would decide how wide what the tests read is
os.environ.pop("COLUMNS", None)
settings.load_profile("default")


LONG: Final = (
    "test_stack.py", "test_faults.py", "test_disk.py", "test_demo.py", "test_examples.py", "test_running.py",
    "test_ray.py",
)  # fmt: skip
"""Files of long tests, which begin first: so no worker waits for the other in the end."""


COLD: Final = {
    "test_process.py",  # the command line and the server, as they begin
    "test_ray.py",  # looks for processes by their command lines
    *("test_house.py", "test_registry.py", "test_library.py", "test_slim.py", "test_small_saves.py", "test_adamw.py"),
    # what is imported
    *("test_memory.py", "test_uploaded.py"),  # what a process takes
}  # fmt: skip
"""Files of tests whose processes are spawned."""


def pytest_configure(config: pytest.Config) -> None:
    """Have what processes are forked off, one for all workers; where the system cannot, they are spawned."""
    if sys.platform == "linux" and not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="warm")
        config.add_cleanup(partial(shutil.rmtree, folder))
        begun = warm(Path(folder))
        begun.__enter__()
        config.add_cleanup(partial(begun.__exit__, None, None, None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half again as many workers as cores: much of a test is waiting for servers and processes of its own."""
    return max(2, (os.cpu_count() or 2) * 3 // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_collection_finish() -> None:
    """Tests and libraries live to the end: set aside, no collection goes through their millions of objects again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def no_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests begin in a folder of nobody's: within a checkout as large as this each save asks git, 15 ms a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("nowhere"))
        yield


@pytest.fixture(scope="session", autouse=True)
def jobs_take_their_time() -> Iterator[None]:
    """A job that a busy machine is slow to begin is nothing to speak of: commands that wait for it say nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wait, "SURELY", PATIENCE)
        yield


@pytest.fixture(scope="session", autouse=True)
def clients_of_tests() -> Iterator[None]:
    """Clients share what they trust, which httpx reads anew for each, 30 ms a time, and wait longer than its 5 s."""
    with pytest.MonkeyPatch.context() as patch:
        for step in ("connect", "read", "write", "pool"):
            patch.setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, step, PATIENCE)
        patch.setattr(httpx._transports.default, "create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def migrations_read_once() -> Iterator[None]:
    """The files of migrations are read once, for many a ledger is made on PostgreSQL."""
    from alembic import util

    read, kept = util.load_python_file, cache(util.load_python_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(util, "load_python_file", lambda *file: (read if file[1] == "env.py" else kept)(*file))
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What one test turns off, as a command does that runs here, would be missed by another, which reads the log."""
    log = logging.getLogger("lepton")
    level, off = log.level, logging.root.manager.disable
    yield
    if log.level != level:
        log.setLevel(level)
    if logging.root.manager.disable != off:  # which has all loggers, thousands, forget what they know
        logging.disable(off)


@pytest.fixture(scope="session", autouse=True)
def views_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty read model is made once, by the code that makes it, and copied for each ledger of this process.

    It takes 36 tables and as many views, 100 ms a time, and most tests have a ledger of their own.
    """
    made, empty = ViewsFile._made, tmp_path_factory.mktemp("views") / "empty.duckdb"

    def copied(self: ViewsFile) -> list[tuple[str, int | None, bytes | None]]:
        if not empty.exists():
            answer = made(self)
            self._connection.execute("CHECKPOINT")
            shutil.copyfile(self.path, own := empty.with_name(uuid4().hex))
            own.rename(empty)  # whole: another thread may want it
            return answer
        self._connection.close()
        shutil.copyfile(empty, self.path)
        self._connection = opened(self.path, self._memory_limit, ordered=self._ordered)
        self._connection.execute("UPDATE store.ledger SET id = ?", [self._log.ledger_id])
        return [(self._log.ledger_id, None, None)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ViewsFile, "_made", copied)
        yield


@pytest.fixture(scope="module", autouse=True)
def processes_begin_warm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Processes are forked with their imports done, but where the process itself is asked about."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name not in COLD:
            patch.setattr(subprocess, "Popen", WarmPopen)
        yield


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for a ledger and its objects."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def public_data(pytestconfig: pytest.Config) -> Path:
    """The folder of public data sets beside the checkout, or further up. Where there is none the test is skipped."""
    folders = (above / "shared" / "data" for above in pytestconfig.rootpath.resolve().parents)
    folder = next((folder for folder in folders if folder.is_dir()), None)
    return folder or pytest.skip("the public data sets are not here")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A running PostgreSQL. Where none can run the test is skipped; in CI that is a failure."""
    yield from running(PostgreSQL)


@pytest.fixture(scope="session")
def pooler(postgresql: PostgreSQL) -> Iterator[PgBouncer]:
    """A running PgBouncer before it, in transaction mode. Where none can run the test is skipped; in CI that fails."""
    yield from running(lambda: PgBouncer(postgresql, "transaction", size=2))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A running Kafka, one for all that test. Where none can run the test is skipped; in CI that is a failure."""
    own = tmp_path_factory.getbasetemp()
    with ExitStack() as close:
        try:
            place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "kafka"
            broker = close.enter_context(Kafka.shared(place))
        except NotHere as reason:
            lacking(reason)
        yield broker


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running Chromium. Where none can run the test is skipped; in CI that is a failure.

    Of each module its own: while it runs the thread has a running loop, in which others could run none.
    """
    if (program := chromium()) is None:
        lacking(NotHere("there is no Chromium"))
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as started, pytest.MonkeyPatch.context() as patch:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = opened.new_context

        def patient(**options: Any) -> Any:
            """A context of the browser, in which pages take what time they need."""
            made = context(**options)
            made.set_default_timeout(1000 * PATIENCE)
            return made

        patch.setattr(opened, "new_context", patient)
        yield opened
        opened.close()


def running(kind: Callable[[], B]) -> Iterator[B]:
    """A part at work until the fixture ends. Where it cannot run the test is skipped; in CI that is a failure."""
    try:
        server = kind()
        server.start()
    except NotHere as reason:
        lacking(reason)
    yield server
    server.remove()


def lacking(reason: NotHere) -> NoReturn:
    """Leave a test out for a part that cannot run here; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must test every part: {reason}")
    pytest.skip(f"a part cannot run here: {reason}")


@pytest.fixture
def cluster(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Topics of a ledger's own on the running Kafka; nobody has made them yet.

    All workers of a run share that, so that it may be at work for others for longer than the product waits.
    """
    monkeypatch.setattr("lepton_ai.events.kafka.sync.PATIENCE", 60.0)
    return Cluster.parsed(kafka.servers, prefix=f"t{uuid4().hex[:16]}")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """A running S3. Where none can run the test is skipped; in CI that is a failure."""
    yield from running(S3)


@pytest.fixture(scope="session")
def azure_server() -> Iterator[Azure]:
    """A running Azure. Where none can run the test is skipped; in CI that is a failure."""
    yield from running(Azure)


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where S3 keeps objects of this test alone; the environment has the credentials."""
    return _entered(s3_server, monkeypatch)


@pytest.fixture
def azure(azure_server: Azure, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where Azure keeps objects of this test alone; the environment has the credentials."""
    return _entered(azure_server, monkeypatch)


def _entered(server: S3 | Azure, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return f"{server.url}/{uuid4().hex}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, home: Path) -> str:
    """Where a database is that a ledger may live in."""
    if request.param == "sqlite":
        return f"sqlite:///{home / 'main.db'}"
    return request.getfixturevalue("postgresql").url()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with nothing of this test's ledger in it; its name is new, so PostgreSQL gives it a schema."""
    database = database_at(url, f"t{uuid4().hex[:16]}", wait=30)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> Store:
    """The store of a fresh ledger."""
    open_or_create(database, lambda: str(uuid4()))
    return Store(database)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """A fresh ledger."""
    return Ledger(store)


@pytest.fixture
def actor(store: Store) -> Actor:
    """Somebody who acts."""
    return Actors(store.database).named("Ada")
