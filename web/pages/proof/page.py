"""Proofs: an event's way up to the root, a proof checked, and the ledger held against a head that was kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ....errors import Forbidden, LeptonError, Malformed, NotAsSigned
from ....events.merkle import leaf_hash
from ....evidence.head import KnownHead, heads_asked, hexed, note_in
from ....evidence.note import keys_of
from ....evidence.proof import checked
from ....evidence.tree import PathStep, steps_of_inclusion
from ....media import JSON
from ....results import Proof, Proved, SignedHead
from ....results.maintenance.evidence import author_in, what_in
from ....versions.evidence.against import check_prefix, verify_against
from ....versions.evidence.heads import known_head_of
from ....versions.evidence.proving import prove_since_size
from ...caller import encoded
from ...problems import kind_of, of_error
from ..asking.events import EventReader
from ..page import PageRoutes, PageView, Visit

pages = PageRoutes()

_WHAT: Final = "the text of the head"
_LONGEST: Final = 18
"""Digits of a size."""


@pages.page("/proof", "proof")
def proof(page: Visit) -> PageView:
    """The proof of the event that `event` names, by its number or by what it moved; or the forms alone."""
    asked = page.asked("event").strip()
    if not asked:
        return PageView(_data(page), {})
    made = page.manager.prove(asked)
    return PageView(_data(page, made=made), made)


@pages.act("/proof", "proof")
def check(page: Visit, said: Mapping[str, str]) -> PageView:
    """Check a proof, or hold the ledger against a head; nothing of either is kept."""
    typed = {name: said.get(name, "").replace("\r\n", "\n").strip() for name in ("proof", "head", "key")}
    try:
        keys = keys_of(typed["key"] or None)
        if typed["head"]:
            return PageView(_data(page, typed, held=_held(page, typed["head"], keys)))
        return PageView(_data(page, typed, proved=checked(_document(typed["proof"]), keys)))
    except Forbidden:
        raise
    except LeptonError as error:
        broken = isinstance(error, NotAsSigned) and bool(typed["head"])
        data = _data(page, typed, sentence=error.fact, broken=broken)
        return PageView(data, status=kind_of(error).status, error=error)


def told_head(request: Request) -> Response:
    """Where the log ends, and the hashes that lead there from the root over the first `since` events, where it has more
    of them: by these a browser checks that the log goes on from the head that it saw last."""
    page = Visit(request)
    try:
        since = page.asked("since") or "0"
        if not (since.isascii() and since.isdecimal() and len(since) <= _LONGEST):
            raise Malformed(f"since is {since[:40]!r}; give how many events the earlier head has")
        workspace = page.workspace
        workspace.rights.check("read")
        known = known_head_of(workspace)
        path = prove_since_size(workspace, int(since), known).path if 0 < int(since) < known.head.size else ()
        return Response(encoded({"head": known.head.text, "path": list(path)}), media_type=JSON)
    except LeptonError as error:
        return of_error(error, request)


ROUTES: Final[list[BaseRoute]] = [Route("/head.json", told_head, methods=["GET"])]


def _data(
    page: Visit,
    typed: Mapping[str, str] | None = None,
    *,
    made: Proof | None = None,
    proved: Proved | None = None,
    held: SignedHead | None = None,
    sentence: str = "",
    broken: bool = False,
) -> dict[str, Any]:
    shown = {"proof": "", "head": "", "key": "", **(typed or {})}
    event = None if made is None else _proved_event(page, made)
    if made is not None:
        shown["proof"] = json.dumps(made.to_dict(), indent=1)
    says = None if proved is None or proved.event is None else _says(proved.event)
    outcome = {"says": says, "proved": proved, "held": held, "sentence": sentence, "broken": broken}
    return {"proof": event, "typed": shown, "may_all": _may_all(page), **outcome}


def _says(event: Mapping[str, Any]) -> dict[str, str]:
    return {"what": what_in(event), "time": event["recordedtime"], "author": author_in(event)}


def _proved_event(page: Visit, made: Proof) -> dict[str, Any]:
    """What a proof is of and how it goes, step by step."""
    assert made.seq is not None  # it is of an event
    assert made.event is not None
    reader = EventReader(page)
    (event,) = reader.told(reader.heard([reader.row(made.seq)]))
    known = KnownHead.checked(note_in(made.head, _WHAT), ())
    leaf = leaf_hash(made.event.encode())
    path = [bytes.fromhex(each.removeprefix("sha256:")) for each in made.path]
    return {
        "seq": made.seq,
        "event": event,
        "head": known.told(),
        "signers": [each.name for each in known.note.signatures],
        "leaf": hexed(leaf),
        "steps": list(map(_shown, steps_of_inclusion(leaf, made.seq - 1, known.head.size, path) or ())),
    }


def _shown(step: PathStep) -> dict[str, Any]:
    return {"beside": hexed(step.beside), "is_left": step.is_left, "node": hexed(step.node)}


def _held(page: Visit, text: str, keys: Any) -> SignedHead:
    """The last of some heads that the log goes on from. Who may do everything has every stored byte read as well."""
    heads = heads_asked(text, keys)
    if _may_all(page):
        verify_against(page.workspace, heads)
    else:
        page.workspace.rights.check("read")
        check_prefix(page.workspace.ledger.store, heads)
    return heads[-1].told()


def _may_all(page: Visit) -> bool:
    return page.visitor is not None and page.visitor.rights.unlimited


def _document(text: str) -> Any:
    if not text:
        raise Malformed("nothing was given; paste a proof, or a head")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the proof is no JSON ({error}); give the file that `lepton prove` wrote, whole") from None
