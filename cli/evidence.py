"""`sign-head`, `prove`, `verify`: evidence of the ledger's history that an outsider can check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from ..results.description import title
from ..results.shapes.ledger import PROOF, SIGNED_HEAD, VERIFIED
from ..results.words import say
from .command import Session, command
from .completion import revisions

F = TypeVar("F", bound=Callable[..., Any])
PROVED: Final = {
    "kind": "text",
    "ledger": "text",
    "size": "number",
    "root": "digest",
    "time?": "time",
    "key?": "text",
    "seq?": "number",
    "event?": {"NAME": "any"},
    "since?": "number",
}
"""What a proof proves."""


def _signing(function: F) -> F:
    """The options that say who signs."""
    for option in (
        click.option(
            "--verifier", metavar="VKEY", help="What verifies the command's signatures, else LEPTON_VERIFIER_KEY."
        ),
        click.option(
            "--key-command",
            metavar="COMMAND",
            help="A command that signs its stdin, else LEPTON_SIGNING_COMMAND: Ed25519, 64 bytes or base64 on stdout.",
        ),
        click.option(
            "--key", "key_file", metavar="FILE", help="The file of the key that signs, else LEPTON_SIGNING_KEY."
        ),
    ):
        function = option(function)
    return function


@command(
    {"file?": "text", "key": "text", "head?": SIGNED_HEAD},
    "lepton sign-head --key ledger.key -o head",
    "lepton sign-head --key ledger.key -o head --leaves head.leaves",
    "lepton sign-head --make-key ledger.key --name example.org/ledger",
)
@click.option("-o", "--output", metavar="FILE", help="The file of the head, written whole or not at all.")
@_signing
@click.option("--leaves", metavar="FILE", help="Write each event's hash to it too, so that verify can name the event.")
@click.option("--make-key", metavar="FILE", help="Make a new key instead, in a file that only you may read.")
@click.option("--name", metavar="NAME", help="With --make-key: whom the key signs for; else it is this ledger's id.")
def sign_head(session: Session, output: str | None, make_key: str | None, name: str | None, **how: Any) -> None:
    """Sign where the log ends, as a C2SP checkpoint: its size, Merkle root and the time, to be kept elsewhere.

    Whoever keeps the head can hold the ledger against it later: `lepton verify --against FILE`. The key is kept outside
    the home, in a file that nobody else may read, or with a command that signs. --make-key makes one and prints its
    verifier key (C2SP's vkey), which auditors need. A head that is in FILE already must be of this ledger's history.
    """
    if make_key is not None:
        if output is not None or any(how.values()):
            raise click.UsageError("--make-key makes a key and signs nothing; give it alone, or with --name")
        _make_key(session, make_key, name)
        return
    if output is None or name is not None:
        raise click.UsageError("a head goes to a file that -o names; --name is of --make-key")
    head = session.manager.sign_head(output, **how)
    shown = (say("the head is in {file}", file=title(output)), *head.blocks())
    session.answer({"file": output, "key": head.key, "head": head.to_dict()}, shown)


@command(
    PROOF,
    "lepton prove production -o proof.json",
    "lepton prove 1 --key ledger.key -o proof.json",
    "lepton prove --since head --key ledger.key -o proof.json",
)
@click.argument("what", required=False, metavar="[SEQ|REV]", shell_complete=revisions)
@click.option("-o", "--output", required=True, metavar="FILE", help="The proof's file, written whole or not at all.")
@click.option("--since", metavar="FILE", help="Prove that the log goes on from the head in this file instead.")
@click.option("--head", metavar="FILE", help="Prove it under the head in this file, instead of one of now.")
@_signing
def prove(session: Session, what: str | None, output: str, **how: Any) -> None:
    """Write a proof that is checked without the ledger: that an event is in its log, or that the log only grew.

    A number is an event's `seq`, of which `lepton events` tells; of a branch or alias its last move is proved, of a tag
    that it was bound, of any other revision that its version was committed (write MODEL@3 for version 3). The file
    holds the event's stored bytes, the hashes up to the root (RFC 9162), and the head, signed if there is a key.
    `lepton verify FILE` or docs/verify_proof.py checks it.
    """
    if (what is None) == (how["since"] is None):
        raise click.UsageError("a proof is of an event, SEQ or REV, or --since a head; give one of the two")
    proof = session.manager.prove(what, output, **how)
    session.answer(proof.to_dict(), (say("the proof is in {file}", file=title(output)), *proof.blocks()))


@command(
    {**{(name if name.endswith("?") else f"{name}?"): shape for name, shape in VERIFIED.items()}, "proved?": PROVED},
    "lepton verify",
    "lepton verify --against head",
    "lepton verify proof.json",
)
@click.argument("proof", required=False, metavar="[PROOF]", type=click.Path())
@click.option("--against", metavar="FILE", help="Hold the log against the head, or the heads, in this file.")
@click.option("--key", multiple=True, metavar="VKEY", help="Who signed, else LEPTON_VERIFIER_KEY; repeatable.")
@click.option("--leaves", metavar="FILE", help="With --against: the hashes that `sign-head --leaves` wrote.")
def verify(session: Session, proof: str | None, against: str | None, key: tuple[str, ...], leaves: str | None) -> None:
    """Check that the ledger is whole in itself, or is what was signed elsewhere; or check a PROOF without a ledger.

    It exits with 5 where that is not so. Without PROOF it recomputes the Merkle root of every stored byte, and compares
    with the log all that stands beside it, too: the head, the columns of every row, what was taken in from outside, and
    it finds triggers, rules and views that are not Lepton's. `fsck` lists all that is wrong. That proves that the
    ledger agrees with itself. Whoever owns the database could write another that does; that history is what it was
    --against proves, by a head that was signed and kept elsewhere: a history rewritten with all its hashes is found,
    and one that was cut short. The first event that differs is named where --leaves or another head close by says
    which it is. Names of actors stand in no event, so that they can be forgotten: nothing proves which name a pseudonym
    stood for.

    A PROOF is a file that `lepton prove` wrote. No ledger is needed to check it.
    """
    if proof is not None and (against is not None or leaves is not None):
        raise click.UsageError("a PROOF is checked by itself, and --against checks a ledger; give one of them")
    if leaves is not None and against is None:
        raise click.UsageError("--leaves were written with a head; give it with --against")
    blank: dict[str, Any] = dict.fromkeys((*(name.rstrip("?") for name in VERIFIED), "proved"))
    if proof is not None:
        proved = _proved(proof, key)
        session.answer(blank | {"proved": proved.to_dict()}, proved)
        return
    with session.waiting("verifying"):
        verified = session.manager.verify(against=against, key=key or None, leaves=leaves)
    session.answer(blank | verified.to_dict(), verified)


def _proved(proof: str, key: tuple[str, ...]) -> Any:
    import os

    from ..evidence.proof import verify_proof

    return verify_proof(proof, key=key or os.environ.get("LEPTON_VERIFIER_KEY") or None)


def _make_key(session: Session, file: str, name: str | None) -> None:
    from ..evidence.head import ORIGIN
    from ..evidence.keys import make_key
    from ..home import checked_path

    if name is None:
        session.parts.seek()
        name = f"{ORIGIN}{session.parts.store.ledger_id}"
    key = str(make_key(Path(checked_path(file, "the file of the key")), name))
    shown = (say("the key is in {file}; it is verified by", file=title(file)), key)
    session.answer({"file": file, "key": key, "head": None}, shown)
