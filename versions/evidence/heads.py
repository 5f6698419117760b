"""Heads: where the log ends, signed by a key that is kept outside the home."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Refused
from ...evidence import keys, note
from ...evidence.head import KnownHead, TreeHead, heads_in, unsigned
from ...evidence.keys import Signer, Signing
from ...evidence.note import VerifierKey
from ...evidence.witness import FileWitness, Witness
from ...home import checked_path
from ...permissions import write_whole
from ...results import SignedHead
from ...settings import Settings
from .against import check_prefix, leaves_of

if TYPE_CHECKING:
    from ...events.sql.store import Store
    from ..workspace import Workspace


def keys_of(given: str | Sequence[str] | None, settings: Settings | Signing) -> tuple[VerifierKey, ...]:
    """The verifier keys that are given, else that of the settings; none where nobody says any."""
    return note.keys_of(settings.verifier_key if given is None else given)


def signer_of(
    settings: Settings | Signing, key_file: str | os.PathLike[str] | None, command: str | None, verifier: str | None
) -> Signer:
    """Who signs. Raises `Refused` where nobody does."""
    file = None if key_file is None else checked_path(os.fspath(key_file), "the file of the key")
    return keys.signer(settings, file, command, verifier)


def signer_if_any(
    settings: Settings | Signing, key_file: str | os.PathLike[str] | None, command: str | None, verifier: str | None
) -> Signer | None:
    """Who signs, None where nobody is named."""
    if key_file is None and command is None and not keys.has_signer(settings):
        return None
    return signer_of(settings, key_file, command, verifier)


def head_of(workspace: Workspace) -> TreeHead:
    """The end of the log as it is now, or was where the past is looked at; then it is of no time."""
    store = workspace.ledger.store
    head, time = store.head(), datetime.now(UTC) if workspace.past is None else None
    past = head.seq if workspace.past is None else min(workspace.past, head.seq)
    frontier = head.frontier if past == head.seq else store.frontier(past)
    if past == 0:
        raise Refused("the log has no event yet, and a head of none proves nothing; save a version first")
    return TreeHead(store.ledger_id, past, frontier.root(), time)


def known_head_of(workspace: Workspace, signer: Signer | None = None) -> KnownHead:
    """As `head_of`, signed if anybody does."""
    head = head_of(workspace)
    return unsigned(head) if signer is None else signer.signed(head)


def present_head(workspace: Workspace, settings: Settings) -> SignedHead:
    """The end of the log, signed where the settings say by whom. Raises `Forbidden`."""
    workspace.rights.check("read")
    return known_head_of(workspace, signer_if_any(settings, None, None, None)).told()


def sign_head(workspace: Workspace, signer: Signer, output: Path | None, leaves: Path | None) -> SignedHead:
    """Sign the end of the log, and write the head to `output`; with `leaves` also every leaf's hash to a file.

    A head that is in `output` already must be of this ledger's history: no log signs two heads that disagree.
    """
    if output is not None and output.exists():
        check_prefix(workspace.ledger.store, heads_in(output, ()))
    signed = signer.signed(head_of(workspace))
    if leaves is not None:
        write_whole(leaves, b"".join(leaves_of(workspace.ledger.store, signed.head.size)))
    if output is not None:
        write_whole(output, str(signed.note).encode())
    return signed.told()


def signed_for(store: Store, signer: Signer, witness: Witness | None) -> KnownHead:
    """The end of the log as it is now, signed for a witness. Raises `NotAsSigned` where one that is a file holds a head
    of another history."""
    if isinstance(witness, FileWitness) and (last := witness.last()) is not None:
        check_prefix(store, [last])
    head = store.head()
    return signer.signed(TreeHead(store.ledger_id, head.seq, head.frontier.root(), datetime.now(UTC)))
