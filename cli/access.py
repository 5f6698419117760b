"""`token`: who may use the ledger over HTTP, and what they may."""

from __future__ import annotations

from typing import Final

import click

from ..results.description import title
from ..results.shapes.tokens import TOKEN
from ..results.words import say
from .command import Session, command, keyed

NEEDS: Final = {
    "create": "create needs an owner and a scope: lepton token create --owner NAME --scope read",
    "revoke": "revoke needs a token: lepton token revoke ID",
    "list": "list takes no token: lepton token list",
}


@command(
    {"tokens": [TOKEN | {"secret?": "text?"}]},
    "lepton token",
    "lepton token create --owner bea --scope read --scope move --models 'credit*' --expires 30d",
)
@click.argument("act", required=False, type=click.Choice(["create", "list", "revoke"]), metavar="[ACTION]")
@click.argument("token", required=False, metavar="[ID]")
@click.option("--owner", metavar="NAME", help="Who acts with it: the actor of all that is done.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "write", "move", "admin", "sql"]),
    help="What it allows; may be repeated. write and move imply read, admin implies all.",
)
@click.option(
    "--models", multiple=True, metavar="GLOB", help="Whose names its models have, such as 'team/*'; all if left out."
)
@click.option("--expires", metavar="WHEN", help="When it ends: a term such as 12h, 30d, 8w, or a date; never else.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is revoked.")
@keyed
def token(
    session: Session,
    act: str | None,
    token: str | None,
    owner: str | None,
    scopes: tuple[str, ...],
    models: tuple[str, ...],
    expires: str | None,
    reason: str,
    key: str | None,
) -> None:
    """List the tokens by which the ledger is used over HTTP, or by an ACTION: create makes one and shows its secret,
    this once; revoke ends one, by its id or a part of it.

    Whoever holds a token acts as its owner. docs/access.md says what each scope allows. Its secret is sent as
    Authorization: Bearer, or stands in LEPTON_TOKEN; the ledger keeps only its SHA-256.
    """
    manager, act = session.manager, act or "list"
    asked = [token is not None, bool(owner), bool(scopes)]
    if asked != [act == "revoke", act == "create", act == "create"]:
        raise click.UsageError(NEEDS[act], click.get_current_context())
    if act == "create" and owner:
        created = manager.create_token(owner, scopes, models=models or "*", expires=expires, key=key)
        session.answer({"tokens": [created]}, created)
    elif act == "revoke" and token:
        revoked = manager.revoke_token(token, reason=reason, key=key)
        told = say("token {token} of {owner} is revoked", token=title(revoked.token), owner=revoked.owner)
        session.answer({"tokens": [revoked]}, told)
    else:
        known = manager.tokens()
        session.answer({"tokens": known}, known)
