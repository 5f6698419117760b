"""Tokens: made once with a secret, told without it, looked up by servers, and good no more within a second."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.domain.access.rights import Rights
from lepton_ai.errors import KeyReused, Malformed, Refused, UnknownRevision
from lepton_ai.events.sql.tokens import TokenHashes
from lepton_ai.versions.access import tokens

from ..cli_home import Cli


@pytest.fixture
def manager(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelManager]:
    """A ledger of one model, on each database."""
    monkeypatch.setenv("LEPTON_DATABASE", url)
    monkeypatch.setenv("LEPTON_LEDGER", f"t{uuid4().hex[:16]}")
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.arange(3.0)}, name="credit")
        yield manager


@pytest.fixture
def small(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home, actor="ada") as manager:
        manager.save_version({"w": np.arange(3.0)}, name="credit")
        yield manager


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have what was looked up be so much older."""
    now = tokens.time.monotonic()
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now + seconds)


def test_whoever_holds_a_token_acts_as_its_owner_with_its_rights(manager: ModelManager) -> None:
    made = manager.create_token("bea", ("move", "read"), models="cred*")
    assert made.secret is not None

    holder = manager.holder(made.secret)

    assert holder == (made.token, "bea", Rights(frozenset(("read", "move")), ("cred*",)))
    assert re.fullmatch(r"lepton_[A-Za-z0-9_-]{43}", made.secret)
    assert (made.scopes, made.models, made.actor, made.status) == (("read", "move"), ("cred*",), "ada", "good")
    manager.acting(holder.owner, holder.rights).tag("v1", "credit@1")
    assert manager.log("credit@main").entries[0].actor in ("ada", "bea")


def test_a_secret_is_kept_nowhere_and_its_hash_beside_the_log(
    small: ModelManager, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = small.create_token("beatrice", "admin")
        assert made.secret is not None
        small.holder(made.secret)
    told = json.dumps([*small.events()], default=str) + caplog.text + repr(made) + str(small.tokens())
    files = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())

    assert made.secret not in told
    assert made.secret.encode() not in files
    assert sha256(made.secret.encode()).digest() in files
    assert sha256(made.secret.encode()).hexdigest() not in told
    assert "beatrice" not in json.dumps([each["data"] for each in small.events()])


def test_repeated_under_its_key_a_token_is_the_same_and_its_secret_is_not_shown(manager: ModelManager) -> None:
    one = manager.create_token("bea", "read", expires="30d", key="first")
    two = manager.create_token("bea", "read", expires="30d", key="first")

    assert (two.token, two.expires, two.secret) == (one.token, one.expires, None)
    assert "cannot be shown again" in str(two)
    assert len(manager.tokens()) == 1
    with pytest.raises(KeyReused):
        manager.create_token("bea", "write", expires="30d", key="first")
    assert manager.holder(one.secret or "") is not None
    with manager._home.database.connection() as connection:
        assert connection.execute(
            "SELECT count(*) FROM token_hashes".replace("FROM ", from_of(manager))
        ).fetchone() == (1,)


def from_of(manager: ModelManager) -> str:
    database = manager._home.database
    return f'FROM "{database.schema}".' if database.qualifies else "FROM "


def test_a_revoked_token_is_good_no_more_here_at_once_or_after_a_second(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = manager.create_token("bea", "read")
    secret = made.secret or ""
    assert manager.holder(secret) is not None

    revoked = manager.revoke_token(made.token[-8:], reason="the laptop was lost")
    later(monkeypatch, tokens.FRESH)

    assert (revoked.status, revoked.is_good, revoked.token) == ("revoked", False, made.token)
    assert manager.holder(secret) is None
    assert manager.revoke_token(made.token).revoked == revoked.revoked
    assert [each.status for each in manager.tokens()] == ["revoked"]


WATCH = """
import sys, time
from lepton_ai import ModelManager
manager, secret = ModelManager(sys.argv[1]), sys.argv[2]
assert manager.holder(secret) is not None
print("holds", flush=True)
sys.stdin.readline()
begun = asked = held = time.monotonic()
while manager.holder(secret) is not None:
    held, asked = asked, time.monotonic()
print(held - begun, flush=True)  # as late as that a look still began that found it good
"""


def test_another_process_sees_a_revocation_within_a_second(manager: ModelManager, home: Path) -> None:
    made = manager.create_token("bea", "read")
    with subprocess.Popen(
        (sys.executable, "-c", WATCH, str(home), made.secret or ""),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdin is not None
        assert watching.stdout is not None
        assert watching.stdout.readline() == "holds\n"
        manager.revoke_token(made.token)
        watching.stdin.write("\n")
        watching.stdin.flush()
        late = float(watching.stdout.readline())

    assert late < tokens.FRESH


def test_a_token_ends_when_it_expires(small: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small.create_token("bea", "read", expires=timedelta(hours=1))
    secret = made.secret or ""
    assert small.holder(secret) is not None

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr(tokens, "datetime", Later)

    assert small.holder(secret) is None
    assert [each.status for each in small.tokens()] == ["expired"]


def test_forgetting_somebody_revokes_their_tokens(small: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = small.create_token("bea", "read"), small.create_token("cleo", "read")
    assert small.holder(one.secret or "") is not None

    assert small.forget_actor("bea")
    later(monkeypatch, tokens.FRESH)

    assert small.holder(one.secret or "") is None
    assert small.holder(other.secret or "") is not None
    assert [(each.owner, each.status) for each in small.tokens()] == [("[forgotten]", "revoked"), ("cleo", "good")]
    again = small.create_token("bea", "read")
    assert small.holder(again.secret or "") is not None
    assert small.holder(one.secret or "") is None


def test_a_hash_that_no_event_names_opens_nothing(small: ModelManager) -> None:
    secret = f"lepton_{'a' * 43}"
    TokenHashes(small._home.store).add(tokens.hash_of(secret), "4f2a0000")

    assert small.holder(secret) is None


@pytest.mark.parametrize(
    "secret", ["", "lepton_", f"lepton_{'a' * 43}", f"lepton_{'a' * 44}", "x" * 50, "lepton_\n", "é"]
)
def test_what_is_no_secret_of_a_token_is_nobodys(small: ModelManager, secret: str) -> None:
    assert small.holder(secret) is None


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda m: m.create_token("bea", "own"), "there is no scope 'own'"),
        (lambda m: m.create_token("bea", ()), "allows nothing"),
        (lambda m: m.create_token("", "read"), "an actor's name"),
        (lambda m: m.create_token("bea", "read", models=()), "1 to 100 globs"),
        (lambda m: m.create_token("bea", "read", models="a\nb"), "is no glob"),
        (lambda m: m.create_token("bea", "read", expires="soon"), "'soon' is no time"),
        (lambda m: m.create_token("bea", "read", expires="0d"), "is no time"),
        (lambda m: m.create_token("bea", "read", expires="999999w"), "is no time"),
        (lambda m: m.create_token("bea", "read", expires="2020-01-01"), "ended at 2020-01-01T00:00:00"),
        (lambda m: m.create_token("bea", "read", expires=timedelta(0)), "would have ended"),
        (lambda m: m.create_token("bea", 5), "scopes is 5"),
    ],
    ids=["scope", "no scope", "owner", "no glob", "glob", "soon", "0d", "far", "past", "at once", "number"],
)
def test_what_makes_no_token_is_said_in_a_sentence_and_leaves_nothing(
    small: ModelManager, make: Callable[[ModelManager], Any], why: str
) -> None:
    before = small.position()

    with pytest.raises(Malformed, match=re.escape(why)):
        make(small)

    assert (small.position(), len(small.tokens())) == (before, 0)


def test_a_token_ends_at_a_day_in_utc_or_after_a_term(small: ModelManager) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    ends = [tokens.ending(each, now) for each in ("12h", "30d", "2w", "2027-01-31", "2027-01-31T10:00:00+02:00")]

    assert [each and each.isoformat() for each in ends] == [
        "2026-11-30T00:00:00+00:00", "2026-12-29T12:00:00+00:00", "2026-12-13T12:00:00+00:00",
        "2027-01-31T00:00:00+00:00", "2027-01-31T08:00:00+00:00",
    ]  # fmt: skip
    assert tokens.ending(date(2027, 1, 31), now) == ends[3]
    assert tokens.ending(None, now) is None


def test_a_token_that_is_not_there_is_named_and_a_part_must_be_long_enough(small: ModelManager) -> None:
    made = small.create_token("bea", "read")

    for words in ("4f2a4f2a", made.token[:3], ""):
        with pytest.raises(UnknownRevision, match="`lepton token list`"):
            small.revoke_token(words)


def test_the_view_tells_whose_tokens_there_are(small: ModelManager) -> None:
    made = small.create_token("bea", ("read", "sql"), models=("a*", "b"))
    small.revoke_token(made.token, reason="lost")

    found = small.sql(
        "SELECT token, owner, scopes, models, reason, revoked IS NOT NULL AS gone FROM tokens"
    ).to_pylist()

    assert found == [
        {"token": made.token, "owner": "bea", "scopes": ["read", "sql"], "models": ["a*", "b"], "reason": "lost",
         "gone": True},
    ]  # fmt: skip
    assert small.verify().size == small.position()


def test_the_command_line_shows_a_secret_once(small: ModelManager, home: Path) -> None:
    cli = Cli(home)
    shown = cli("token create --owner bea --scope read --scope sql --models 'cred*' --expires 30d")
    told = cli("token create --owner cleo --scope admin --key k --json").json["tokens"][0]
    again = cli("token create --owner cleo --scope admin --key k --json").json["tokens"][0]
    listed = cli("token")

    secret = re.search(r"lepton_[A-Za-z0-9_-]{43}", shown.out)
    assert secret is not None
    assert small.holder(secret[0]) is not None
    assert small.holder(told["secret"]) is not None
    assert (again["secret"], again["token"]) == (None, told["token"])
    assert "lepton_" not in listed.out
    assert "bea" in listed.out
    assert cli(f"token revoke {told['token']}").out == f"token {told['token']} of cleo is revoked\n"
    assert cli("token list --json").json["tokens"][1]["status"] == "revoked"


@pytest.mark.parametrize(
    "line", ["token create", "token create --owner bea", "token revoke", "token list 4f2a", "token create x"]
)
def test_the_command_line_says_what_it_needs(small: ModelManager, home: Path, line: str) -> None:
    ended = Cli(home)(f"token {line}")

    assert ended.code == 2
    assert "lepton token" in ended.err


def test_who_may_not_everything_makes_no_token(small: ModelManager) -> None:
    with pytest.raises(Refused, match="needs the scope admin"):
        small.acting("eve", Rights(frozenset(("read", "write", "move", "sql")))).create_token("eve", "admin")
    assert len(small.tokens()) == 0
