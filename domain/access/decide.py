"""How tokens are made and revoked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from ...errors import Malformed, UnknownRevision
from ...events.token import TokenCreated, TokenRevoked
from ..append import Append
from ..commands import OfToken
from ..names import LONGEST_NAME, checked_run
from ..state import State
from ..streams import token_stream
from .commands import CreateToken, RevokeToken, TokenCommand
from .rights import SCOPES
from .state import TokenState

MOST: Final = 100
"""Globs of one token."""


def decide_token(state: State, asked: OfToken) -> tuple[Append, ...]:
    """The events that a command becomes, none where there is nothing to do; `Refused` where a rule forbids it."""
    stream, command = token_stream(asked.token), cast(TokenCommand, asked)
    token = cast(TokenState, state[stream])
    match command:
        case CreateToken():
            return (Append(stream, _created(token, command)),)
        case RevokeToken():
            if token.event is None:
                raise UnknownRevision(f"there is no token {command.token!r}; `lepton token list` lists them")
            return () if token.revoked is not None else (Append(stream, TokenRevoked(reason=command.reason)),)


def _created(token: TokenState, command: CreateToken) -> TokenCreated:
    if token.event is not None:
        raise Malformed(f"token {command.token!r} exists already; make another")
    return TokenCreated(
        token=checked_run(command.token),
        owner=command.owner,
        scopes=checked_scopes(command.scopes),
        models=checked_globs(command.models),
        expires=command.expires,
    )


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes in their order, or `Malformed`."""
    given = set(scopes)
    if unknown := sorted(given - set(SCOPES)):
        raise Malformed(f"there is no scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
    if not given:
        raise Malformed(f"a token without a scope allows nothing; give one or more of {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in given)


def checked_globs(globs: Iterable[str]) -> tuple[str, ...]:
    """Globs of models' names, each once, or `Malformed`."""
    given = tuple(dict.fromkeys(globs))
    if not 0 < len(given) <= MOST:
        raise Malformed(f"a token is for 1 to {MOST} globs of models' names, and these are {len(given)}; * is for all")
    for glob in given:
        if not 0 < len(glob) <= LONGEST_NAME or not glob.isprintable():
            raise Malformed(f"{glob[:40]!r} is no glob of models' names; give 1 to {LONGEST_NAME} printable characters")
    return given
