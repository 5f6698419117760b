"""What stands beside the log is compared with it: heads, foreign triggers, who acted, which messages were taken in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Damaged
from lepton_ai.events.actor import Actor
from lepton_ai.events.inbox import Letter
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.audit import damages, verify
from lepton_ai.events.sql.queue import RESULTS, Mail
from lepton_ai.events.sql.store import Store
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.ledger import Ledger

from ..asking import commit
from ..cli_home import Cli
from ..jobs.test_intake import event

OF_POSTGRESQL = {
    "trigger mischief on events": (
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER mischief BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION nothing()",
    ),
    "rule mischief on seen": ("CREATE RULE mischief AS ON DELETE TO seen DO INSTEAD NOTHING",),
    "policy mischief on events": ("CREATE POLICY mischief ON events USING (seq < 3)",),
    "view mischief": ("CREATE VIEW mischief AS SELECT * FROM events",),
    "rows inherited by events": ("CREATE TABLE heir () INHERITS (events)",),
}
OF_SQLITE = {
    "trigger mischief": ("CREATE TRIGGER mischief AFTER INSERT ON events BEGIN UPDATE actors SET name = 'Eve'; END",),
    "view mischief": ("CREATE VIEW mischief AS SELECT * FROM events",),
}


@pytest.fixture
def whole(ledger: Ledger, actor: Actor) -> Store:
    """A ledger that somebody wrote to, and two services."""
    ledger.admit(commit(1), actor)
    intake = Intake(ledger, Actors(ledger.store.database), "inbox")
    told = [event("a"), event("b", source="/scoring/us")]
    intake.take([Letter(place, json.dumps(each).encode()) for place, each in enumerate(told)], None)
    assert list(damages(ledger.store)) == []
    return ledger.store


def tamper(store: Store, *statements: str) -> None:
    with store.database.connection() as connection:
        for statement in statements:
            connection.execute(statement)


def found(store: Store) -> list[str]:
    with pytest.raises(Damaged):
        verify(store)
    return [f"{each.thing}: {each.expected}, {each.found}" for each in damages(store)]


def test_what_acts_on_the_tables_and_is_not_leptons_is_named(whole: Store) -> None:
    foreign = OF_SQLITE if whole.database.mark == "?" else OF_POSTGRESQL
    for statements in foreign.values():
        tamper(whole, *statements)

    expected = [f"{whole.database.name}: nothing but Lepton's own tables, {what}" for what in sorted(foreign)]
    assert sorted(found(whole))[: len(foreign)] == sorted(expected)


def test_a_second_head_is_named(whole: Store) -> None:
    columns = "format, name, ledger, seq, recorded_at, frontier"
    tamper(whole, f"INSERT INTO head (id, {columns}) SELECT 2, {columns} FROM head")

    assert "the head: one row, of id 1, rows of id [1, 2]" in found(whole)


@pytest.mark.parametrize(
    ("statement", "thing"),
    [
        ("UPDATE head SET name = 'another'", "the head's name"),
        ("UPDATE head SET trusted_at = 5", "the head's time before it jumped"),
        ("UPDATE events SET seq = 0 WHERE seq = 2", "the event table: no row before event 1, 1"),
        ("INSERT INTO events SELECT seq + 7, 'x', 1, type, leaf, envelope FROM events WHERE seq = 2", "the head: the"),
        ("DELETE FROM seen WHERE id = 'a'", "the memory of the message of event 3"),
        ("UPDATE seen SET digest = 'sha256:0' WHERE id = 'b'", "the memory of the message of event 4"),
        ("UPDATE seen SET source = '/scoring/uk' WHERE id = 'b'", "the memory of the message of event 4"),
        ("UPDATE positions SET position = -1", "the position in inbox 0: from 0, -1"),
    ],
)
def test_what_disagrees_with_the_log_is_named(whole: Store, statement: str, thing: str) -> None:
    tamper(whole, statement.replace("events SELECT", "events (seq, stream, version, type, leaf, envelope) SELECT"))

    assert any(each.startswith(thing) for each in found(whole)), found(whole)


def test_a_place_behind_the_last_message_is_named(whole: Store) -> None:
    Mail(whole.database).send(RESULTS, b"x")
    tamper(whole, f"INSERT INTO positions (topic, part, position) VALUES ('{RESULTS}', 0, 1)")
    assert list(damages(whole)) == []

    tamper(whole, f"UPDATE positions SET position = 2 WHERE topic = '{RESULTS}'")

    assert found(whole) == [f"the position in {RESULTS} 0: from 0 to 1, 2"]


def test_a_name_for_which_nobody_acted_is_no_damage_and_one_that_is_forgotten_is_told_of(
    whole: Store, actor: Actor
) -> None:
    actors = Actors(whole.database)
    actors.named("who never acted")
    assert verify(whole).forgotten == 0

    actors.forget(actor.name)

    assert verify(whole).forgotten == 1
    assert list(damages(whole)) == []


def test_the_command_says_what_it_proves(home: Path) -> None:
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.ones(2)}, name="net")
        manager.forget_actor("ada")
    cli = Cli(home)

    said = cli("verify").out

    assert "whole in itself" in said
    assert "only a root or a signed\nhead that was kept elsewhere proves history" in said
    assert "1 actor forgotten" in said
    assert cli("verify --json").json["forgotten"] == 1
    for command in ("verify", "fsck"):
        assert "triggers, rules and views" in " ".join(cli(f"{command} --help").out.split())
