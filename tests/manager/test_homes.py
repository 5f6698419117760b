"""What an older Lepton wrote opens, upgrades, verifies, loads and answers for ever, and goes on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import NewerLedger, Refused
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.ledger import FORMAT
from lepton_ai.events.sql.address import database_at

from ..asking import until
from ..cli_home import Cli
from ..homes import facts, kept
from ..servers import PostgreSQL

COMMANDS = ("log", "status", "relay --once", "worker --once", "projector", "intake", "sync", "sql 'select 1'")
"""A few that read, and every process that runs for long."""


class Kept:
    """A kept ledger where a test works on it, and what must hold of it."""

    def __init__(self, home: Path, of: str, what: str) -> None:
        self.home, self.told, self.format = home, kept.expected(of, what), kept.FORMATS[of]

    def manager(self) -> ModelManager:
        """Somebody who works on."""
        return ModelManager(self.home, actor="dora")


@pytest.fixture(params=kept.FORMATS)
def of(request: pytest.FixtureRequest) -> str:
    """The commit that wrote it."""
    return request.param


@pytest.fixture
def sqlite(of: str, tmp_path: Path) -> Kept:
    """A home with SQLite, its objects, read model and spool."""
    return Kept(kept.home(of, tmp_path / "home"), of, "home")


@pytest.fixture
def in_postgresql(of: str, postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A database with two ledgers, `main` and `other`."""
    monkeypatch.setenv("LEPTON_DATABASE", kept.postgresql(of, postgresql))
    monkeypatch.setenv("LEPTON_OBJECTS", kept.objects(of, tmp_path / "objects"))
    return Kept(tmp_path / "home", of, "postgresql")


@pytest.fixture(params=["sqlite", "in_postgresql"])
def old(request: pytest.FixtureRequest, of: str) -> Kept:
    """A ledger of an older format, in either database."""
    return request.getfixturevalue(request.param)


def holds(manager: ModelManager, told: dict[str, Any]) -> None:
    """Everything that was read of it with its own code is read the same."""
    assert facts.models(manager, told["models"]) == told["models"]
    for seq, views in ((told["events"], told["views"]), (told["halfway"]["seq"], told["halfway"]["views"])):
        for view, answer in views.items():
            assert facts.answer(manager, view, answer["columns"], seq) == answer, f"{view} as of {seq}"


def goes_on(manager: ModelManager) -> None:
    """It takes a rollback and a new version, which is exact, and every byte of it is whole."""
    before = facts.version(manager, "sorts@1")
    manager.rollback("sorts@1", reason="after the upgrade")
    saved = manager.save_version({"w": np.arange(6.0)}, name="sorts", message="by the new one")
    assert manager.load_arrays(saved)["w"].tobytes() == np.arange(6.0).tobytes()
    assert facts.version(manager, "sorts@1") == before
    found = manager.sql("SELECT max(version) FROM versions WHERE model = 'sorts'").to_pylist()
    assert list(found[0].values()) == [int(saved)]
    assert manager.fsck() == []


def root_at(manager: ModelManager, seq: int) -> str:
    """The root that the tree had at a `seq`."""
    return f"sha256:{manager._workspace.ledger.store.frontier(seq).root().hex()}"


def test_an_old_ledger_upgrades_with_its_root_unchanged_and_goes_on(old: Kept) -> None:
    with old.manager() as manager:
        with pytest.raises(Refused, match=rf"older format {old.format}; `lepton upgrade`"):
            manager.models()

        done = manager.upgrade()

        assert (done.before, done.after, done.done) == (old.format, FORMAT, True)
        assert (done.events, done.root) == (old.told["events"], old.told["root"])
        assert root_at(manager, old.told["events"]) == old.told["root"]
        (upgraded,) = manager.events(after=old.told["events"])
        assert (upgraded["type"], upgraded["data"]) == ("lepton.ledger.upgraded.v1", {"format": FORMAT})
        assert manager.verify().ledger == old.told["ledger"]
        holds(manager, old.told)
        assert [each["message"] for each in manager.events() if "bob's last word" in json.dumps(each)] == []
        goes_on(manager)


def test_what_waited_in_an_old_spool_is_told_after_the_upgrade(sqlite: Kept) -> None:
    with sqlite.manager() as manager:
        manager.upgrade()

        found = manager.sync()

        assert (len(found.delivered), found.refused) == (sqlite.told["spooled"], ())
        assert manager.show("late@2").message == "spooled"
        assert [entry.actor for entry in manager.log(model="late").entries] == ["carol"] * 2
        assert manager.fsck() == []


def test_an_upgraded_ledger_has_nothing_to_upgrade(old: Kept) -> None:
    with old.manager() as manager:
        manager.upgrade()
        events = manager.verify().size

        again = manager.upgrade()

        assert (again.before, again.after, again.done, again.copy) == (FORMAT, FORMAT, False, None)
        assert manager.verify().size == events


def test_a_dry_run_changes_not_one_byte(sqlite: Kept) -> None:
    before = contents(sqlite.home)
    with sqlite.manager() as manager:
        found = manager.upgrade(dry_run=True)

    assert (found.before, found.done, found.root) == (sqlite.format, False, sqlite.told["root"])
    assert found.bytes == (sqlite.home / "main.db").stat().st_size
    assert found.copy == f"{sqlite.home / 'main.db'}.format-{sqlite.format}"
    assert contents(sqlite.home) == before


def test_a_dry_run_on_postgresql_changes_no_row(in_postgresql: Kept) -> None:
    with in_postgresql.manager() as manager:
        found = manager.upgrade(dry_run=True)

        assert (found.before, found.done, found.root) == (in_postgresql.format, False, in_postgresql.told["root"])
        assert found.bytes > 100_000
        assert f'schema "lepton_main.format-{in_postgresql.format}" of' in str(found.copy)
        assert schemas() == ["lepton_main", "lepton_other"]
        with pytest.raises(Refused, match=f"older format {in_postgresql.format}"):
            manager.models()


def test_the_copy_is_the_ledger_as_it_was(sqlite: Kept, tmp_path: Path) -> None:
    before = dump(sqlite.home / "main.db")
    with sqlite.manager() as manager:
        copy = Path(str(manager.upgrade().copy))

    assert dump(copy) == before
    assert copy.stat().st_mode == (sqlite.home / "main.db").stat().st_mode
    (tmp_path / "again").mkdir()
    copy.rename(tmp_path / "again" / "main.db")
    (sqlite.home / "objects").rename(tmp_path / "again" / "objects")
    with ModelManager(tmp_path / "again", actor="dora") as manager:
        manager.upgrade()
        holds(manager, sqlite.told)


def test_each_ledger_of_a_database_is_upgraded_by_itself(in_postgresql: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_postgresql.manager() as manager:
        manager.upgrade()
    monkeypatch.setenv("LEPTON_LEDGER", "other")
    with ModelManager(in_postgresql.home.with_name("other"), actor="dora") as other:
        with pytest.raises(Refused, match=f"older format {in_postgresql.format}"):
            other.models()
        other.upgrade()
        holds(other, in_postgresql.told["other"])
        goes_on(other)

    copy = f"format-{in_postgresql.format}"
    assert schemas() == ["lepton_main", f"lepton_main.{copy}", "lepton_other", f"lepton_other.{copy}"]
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = '{}'"
    copied, current = (set(asked(tables.format(name))) for name in (f"lepton_main.{copy}", "lepton_main"))
    assert len(copied) >= 12
    assert copied <= current


def test_no_command_upgrades_by_itself(sqlite: Kept) -> None:
    cli = Cli(sqlite.home)
    for line in COMMANDS:
        answer = cli(line, LEPTON_KAFKA=None if line.startswith("worker") else "127.0.0.1:9")
        assert (answer.code, f"`lepton upgrade` brings it to {FORMAT}" in answer.err) == (1, True), f"{line}: {answer}"

    with closing(sqlite3.connect(sqlite.home / "main.db")) as database:
        assert database.execute("SELECT format, seq FROM head").fetchone() == (sqlite.format, sqlite.told["events"])


def test_the_command_says_what_it_would_do_and_what_it_did(sqlite: Kept) -> None:
    cli = Cli(sqlite.home)

    dry = cli("upgrade --dry-run --json").json
    said = cli("upgrade --dry-run").out
    done = cli("upgrade").out

    assert (dry["before"], dry["after"], dry["done"], dry["root"]) == (
        sqlite.format,
        FORMAT,
        False,
        sqlite.told["root"],
    )
    assert f"would bring {sqlite.told['events']} events of ledger main from format {sqlite.format} to {FORMAT}" in said
    assert re.search(r"first copy about \d+ kB", said)
    assert "with the root unchanged" in done
    assert sqlite.told["root"] in done
    assert "nothing to do" in cli("upgrade").out


@pytest.mark.parametrize("what", ["relay", "assigner"])
def test_a_running_relay_or_assigner_must_be_stopped_first(old: Kept, what: str) -> None:
    with old.manager() as manager:
        lock = database_of(manager).lock(what)

        with pytest.raises(Refused, match=rf"the {what} of .* held by .*stop it \(`lepton .*and upgrade again"):
            manager.upgrade()

        def upgraded() -> bool:
            with suppress(Refused):  # PostgreSQL hears a moment later that a session ended
                return manager.upgrade().done
            return False

        lock.release()
        until(upgraded)


@pytest.mark.parametrize("of", ["88a614a"])
def test_a_writer_of_format_1_that_lives_on_cannot_write(old: Kept) -> None:
    # what its admission asks first, letter for letter
    asks = 'SELECT h.seq, h.recorded, h.frontier, (SELECT l.leaf FROM events l WHERE l.seq = h.seq), e."key" ' \
           'FROM head h LEFT JOIN events e ON e."key" IN (\'k\')'  # fmt: skip
    with old.manager() as manager:
        connection = database_of(manager).connect()
        connection.execute(asks).fetchall()

        manager.upgrade()

        with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedColumn), match="recorded"):
            connection.execute(asks)
        connection.close()


@pytest.mark.parametrize("of", ["95e372b"])
def test_a_writer_of_format_2_that_lives_on_is_told_of_the_newer_one(
    old: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    with old.manager() as manager, old.manager() as writer:
        with monkeypatch.context() as older:
            older.setattr("lepton_ai.events.ledger.FORMAT", 2)
            writer.tag("in-time", "sorts@1")

        manager.upgrade()

        monkeypatch.setattr("lepton_ai.events.ledger.FORMAT", 2)
        with pytest.raises(NewerLedger, match="the ledger has format 3, this Lepton knows 2: update the package"):
            writer.tag("late", "sorts@1")


def test_a_ledger_upgraded_under_a_living_process_stops_its_writing(old: Kept) -> None:
    with old.manager() as manager, old.manager() as another:
        manager.upgrade()
        version = another.save_version({"w": np.zeros(2)}, name="sorts")
        set_format(another, FORMAT + 1)

        with pytest.raises(NewerLedger, match=f"format {FORMAT + 1}, this Lepton knows {FORMAT}: update the package"):
            another.tag("late", f"sorts@{version}")


def test_a_ledger_of_a_newer_format_is_left_alone(old: Kept) -> None:
    with old.manager() as manager:
        manager.upgrade()
        manager.models()
        set_format(manager, FORMAT + 1)

    with old.manager() as manager:
        for act in (manager.models, manager.upgrade, lambda: manager.upgrade(dry_run=True)):
            with pytest.raises(NewerLedger, match=f"the ledger has format {FORMAT + 1}"):
                act()


def test_nothing_is_upgraded_where_nothing_is(tmp_path: Path) -> None:
    with ModelManager(tmp_path / "none") as manager, pytest.raises(Refused, match="there is nothing to upgrade"):
        manager.upgrade()

    assert not (tmp_path / "none").exists()


def test_a_damaged_ledger_is_not_upgraded(sqlite: Kept) -> None:
    with closing(sqlite3.connect(sqlite.home / "main.db")) as database, database:
        database.execute("UPDATE events SET envelope = replace(envelope, 'RISK-12', 'RISK-13') WHERE seq > 30")
        database.execute("UPDATE events SET envelope = CAST(envelope AS BLOB)")

    answer = Cli(sqlite.home)("upgrade")

    assert (answer.code, "is damaged: expected sha256:" in answer.err) == (5, True)
    assert not list(sqlite.home.glob("main.db.format-*"))


def test_who_is_forgotten_after_an_upgrade_is_forgotten_in_its_copy_too(old: Kept) -> None:
    with old.manager() as manager:
        copy = str(manager.upgrade().copy)
        assert manager.forget_actor("ada")

    if copy.startswith("schema"):
        assert asked(f"SELECT name FROM \"lepton_main.format-{old.format}\".actors WHERE name = 'ada'") == []
    else:
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("SELECT name FROM actors WHERE name = 'ada'").fetchall() == []


def test_the_topic_of_an_upgraded_ledger_goes_on_and_restores(
    of: str, in_postgresql: Kept, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = in_postgresql.told
    asyncio.run(kept.produce(of, cluster))
    named(cluster, monkeypatch)
    with in_postgresql.manager() as manager:
        manager.upgrade()
        saved = manager.save_version({"w": np.ones(3)}, name="sorts")
        end = manager.verify()
    assert Cli(in_postgresql.home)("relay --once --json").json == {"relayed": end.size}
    monkeypatch.setenv("LEPTON_DATABASE", f"sqlite:///{tmp_path / 'restored.db'}")

    restored = Cli(tmp_path / "restored")("restore --from kafka --json").json

    assert restored == {"before": 0, "after": end.size}
    with ModelManager(tmp_path / "restored", actor="dora") as manager:
        assert manager.verify().root == end.root
        assert manager.load_arrays(saved)["w"].tolist() == [1, 1, 1]
        assert root_at(manager, told["events"]) == told["root"]


def test_the_topic_of_an_old_ledger_restores_to_one_that_works(
    of: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = kept.expected(of, "postgresql")
    asyncio.run(kept.produce(of, cluster))
    named(cluster, monkeypatch)
    monkeypatch.setenv("LEPTON_OBJECTS", kept.objects(of, tmp_path / "objects"))
    cli = Cli(tmp_path / "home")

    restored = cli("restore --from kafka --json").json

    assert restored == {"before": 0, "after": told["events"]}
    with ModelManager(tmp_path / "home", actor="dora") as manager:
        assert root_at(manager, told["events"]) == told["root"]
        (upgraded,) = manager.events(after=told["events"])
        assert upgraded["data"] == {"format": FORMAT}
        found = facts.models(manager, told["models"])
        assert {name: digests(model) for name, model in found.items()} == {
            name: digests(model) for name, model in told["models"].items()
        }
        for view, answer in told["views"].items():
            assert facts.answer(manager, view, answer["columns"], told["events"]) == answer, view
        goes_on(manager)


def digests(model: dict[str, Any]) -> dict[str, Any]:
    """A model without its sealed texts, whose keys were never on Kafka."""
    versions = {number: each | {"message": ""} for number, each in model["versions"].items()}
    return model | {"versions": versions}


def named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the environment name the topics."""
    monkeypatch.setenv("LEPTON_KAFKA", ",".join(cluster.servers))
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder, by its bytes and its time."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def dump(path: Path) -> list[str]:
    """A SQLite file as SQL."""
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def asked(sql: str) -> list[tuple[Any, ...]]:
    """What the kept PostgreSQL answers."""
    with psycopg.connect(os.environ["LEPTON_DATABASE"]) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[arg-type]


def schemas() -> list[str]:
    """The ledgers' schemas, and their copies."""
    return [name for (name,) in asked("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lepton%' ORDER BY 1")]


def database_of(manager: ModelManager) -> Any:
    """The ledger's database, not looked at yet."""
    told = manager._settings
    return database_at(told.database, told.ledger, wait=told.wait)


def set_format(manager: ModelManager, number: int) -> None:
    """Have the ledger be of another format, as a newer Lepton's upgrade does."""
    with manager._home.database.transaction() as connection:
        connection.execute(f"UPDATE head SET format = {number}")
