"""Tokens: made, listed, revoked, and looked up by whoever lets their holders in."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple, cast

import uuid_utils

from ...domain.access.commands import CreateToken, RevokeToken
from ...domain.access.decide import checked_globs, checked_scopes
from ...domain.access.rights import Rights
from ...domain.access.state import TokenState
from ...domain.streams import token_stream
from ...errors import Malformed, Refused, UnknownRevision
from ...events.actor import FORGOTTEN, Actor
from ...events.clock import in_calendar
from ...events.sql.tokens import TokenHashes
from ...events.token import TokenCreated
from ...results.tokens import CreatedToken, TokenRecord, Tokens
from ..workspace import SHORTEST, Workspace

PREFIX: Final = "lepton_"
"""What a secret begins with, so that scanners for secrets find one that was put where it must not be."""
_BYTES: Final = 32
_SECRET: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
FRESH: Final = 1.0
"""Seconds for which a token that was looked up is believed: so soon a revocation holds everywhere."""
MOST: Final = 10_000
"""Tokens that are remembered."""
_TERM: Final = re.compile(r"([1-9][0-9]{0,5})([hdw])")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


class TokenHolder(NamedTuple):
    """Whoever holds a token: its id, in whose name they act, and what they may."""

    token: str
    owner: str
    rights: Rights


def create(
    workspace: Workspace,
    owner: str,
    scopes: Sequence[str],
    models: Sequence[str],
    expires: str | date | timedelta | None,
    key: str | None,
) -> CreatedToken:
    """Make a token for somebody. Its secret is in the answer and nowhere else.

    Repeated under its key it is the token that was made then, without its secret.
    """
    workspace.rights.check_everywhere("admin")
    command = CreateToken(
        token=str(uuid_utils.uuid7()),
        owner=workspace.actors.named(owner).id,
        scopes=checked_scopes(scopes),
        models=checked_globs(models),
        expires=ending(expires, datetime.now(UTC)),
        asked={"expires": None if expires is None else str(expires)},
    )
    secret, hashes = PREFIX + secrets.token_urlsafe(_BYTES), TokenHashes(workspace.ledger.store)
    hashes.add(hash_of(secret), command.token)  # first: a hash that no event names opens nothing
    try:
        made = cast(TokenCreated, workspace.admit(command, key).events[0].event).token
    except Refused:
        hashes.drop(command.token)
        raise
    if made != command.token:
        hashes.drop(command.token)
    told = vars(_record(workspace, made, workspace.actors.all()))
    return CreatedToken(**told, secret=secret if made == command.token else None)


def listed(workspace: Workspace) -> Tokens:
    """All tokens, those that are good no more among them, the oldest first."""
    workspace.rights.check_everywhere("admin")
    actors = workspace.actors.all()
    return Tokens(_record(workspace, token, actors) for token in _ids(workspace))


def revoke(workspace: Workspace, words: str, reason: str, key: str | None) -> TokenRecord:
    """Let a token be good no more, by its id or the beginning or end of it."""
    workspace.rights.check_everywhere("admin")
    token = _named(workspace, words)
    workspace.admit(RevokeToken(token=token, reason=reason), key)
    TokenHashes(workspace.ledger.store).drop(token)
    return _record(workspace, token, workspace.actors.all())


def revoke_all(workspace: Workspace, owner: str) -> None:
    """Revoke the tokens of somebody, who is about to be forgotten."""
    pseudonym = next((each.id for each in workspace.actors.all().values() if each.name == owner), None)
    for token in _ids(workspace) if pseudonym is not None else ():
        state = _state(workspace, token)
        if state.event is not None and state.event.owner == pseudonym and state.revoked is None:
            revoke(workspace, token, "", None)


class TokenHolders:
    """Looks up whose a secret is. What was found is believed for a second, and for no longer than the token lasts."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._hashes = TokenHashes(workspace.ledger.store)
        self._found: dict[bytes, tuple[float, TokenHolder, datetime | None]] = {}

    def of(self, secret: str) -> TokenHolder | None:
        """Whoever holds a secret; None where it is of no token, or of one that is good no more."""
        if not _SECRET.fullmatch(secret):
            return None
        hash, begun = hash_of(secret), time.monotonic()
        if (known := self._found.get(hash)) is not None:
            until, holder, expires = known
            if begun < until and (expires is None or datetime.now(UTC) < expires):
                return holder
        if (found := self._look(hash)) is None:
            self._found.pop(hash, None)
            return None
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[hash] = (begun + FRESH, *found)
        return found[0]

    def _look(self, hash: bytes) -> tuple[TokenHolder, datetime | None] | None:
        if (token := self._hashes.find(hash)) is None:
            return None
        state = _state(self._workspace, token)
        if state.event is None or not state.good(datetime.now(UTC)):
            return None
        owner = self._workspace.actors.known(state.event.owner)  # nobody, once forgotten
        return None if owner is None else (TokenHolder(token, owner.name, state.rights), state.event.expires)


def hash_of(secret: str) -> bytes:
    """What is kept of a secret: of 256 random bits no slower hash is needed."""
    return sha256(secret.encode()).digest()


def ending(expires: str | date | timedelta | None, now: datetime) -> datetime | None:
    """When a token ends: after a term, such as 30d, at the begin of a day or at a moment, in UTC where none is said.

    Raises `Malformed` where that is no time, or is past.
    """
    if expires is None:
        return None
    try:
        end = in_calendar(_ending(expires, now))
    except (ValueError, OverflowError) as error:
        raise Malformed(
            f"{str(expires)[:80]!r} is no time for a token to end; write a term such as 12h, 30d or 8w, or a date "
            "such as 2027-01-31"
        ) from error
    if end <= now:
        raise Malformed(f"the token would have ended at {end.isoformat()} already; give a time to come")
    return end


def _ending(expires: str | date | timedelta, now: datetime) -> datetime:
    if isinstance(expires, timedelta):
        return now + expires
    if isinstance(expires, date) and not isinstance(expires, datetime):
        expires = expires.isoformat()
    if isinstance(expires, str):
        if match := _TERM.fullmatch(expires):
            return now + timedelta(**{_UNITS[match[2]]: int(match[1])})
        expires = datetime.fromisoformat(expires)
    return expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires.astimezone(UTC)


def _ids(workspace: Workspace) -> list[str]:
    return [stream.removeprefix("token/") for stream in workspace.ledger.store.streams("token/")]


def _named(workspace: Workspace, words: str) -> str:
    ids = _ids(workspace)
    found = [each for each in ids if len(words) >= SHORTEST and (each.startswith(words) or each.endswith(words))]
    if len(found) != 1:
        many = f"{len(found)} tokens have ids like" if found else "there is no token"
        raise UnknownRevision(f"{many} {words[:80]!r}; `lepton token list` lists them")
    return found[0]


def _state(workspace: Workspace, token: str) -> TokenState:
    return cast(TokenState, workspace.ledger.state(token_stream(token)))


def _record(workspace: Workspace, token: str, actors: dict[str, Actor]) -> TokenRecord:
    state = _state(workspace, token)
    assert state.event is not None
    assert state.created is not None
    owner, creator = actors.get(state.event.owner), actors.get(state.creator)
    status = "revoked" if state.revoked else "forgotten" if owner is None else "expired"
    return TokenRecord(
        token=token,
        owner=owner.name if owner else FORGOTTEN,
        scopes=state.event.scopes,
        models=state.event.models,
        created=state.created,
        actor=creator.name if creator else FORGOTTEN,
        expires=state.event.expires,
        revoked=state.revoked,
        status="good" if owner and state.good(datetime.now(UTC)) else status,
        seq=state.seq,
    )
