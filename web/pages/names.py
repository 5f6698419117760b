"""Names: where branches, tags and aliases stand, who put them there and why, and each move taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from ...domain.model.state import Move
from ...domain.model.track_record import last_rollback_from
from ...errors import Malformed
from ...results import LastMove, Version
from .page import PageRoutes, PageView, Visit

pages = PageRoutes()

MOVES: Final = 50
"""Moves of a page."""
LISTED: Final = 200
"""Names of a kind on a page."""
KINDS: Final = ("alias", "branch", "tag")


@pages.page("/m/{model}/names", "names")
def names(page: Visit, model: str) -> PageView:
    """The names of a model, or those that have what is looked for; as JSON all that have it."""
    manager, find = page.manager, page.asked("find").strip()
    refs = {"aliases": manager.aliases(model=model), "branches": manager.branches(model), "tags": manager.tags(model)}
    matching = {kind: [pair for pair in each.items() if find in pair[0]] for kind, each in refs.items()}
    told = {kind: _told(refs[kind], matching[kind]) for kind in refs}
    shown = {kind: pairs[:LISTED] for kind, pairs in matching.items()}
    left = {kind: len(pairs) - len(shown[kind]) for kind, pairs in matching.items()}
    protected = manager.protections(model)
    data = {"model": model, "refs": refs, "shown": shown, "left": left, "find": find, "protected": protected}
    return PageView({**data, "to": page.asked("to"), "key": str(uuid4())}, {"model": model, **told})


@pages.page("/m/{model}/aliases/{name}", "alias")
def alias(page: Visit, model: str, name: str) -> PageView:
    """One alias: where it stands, and every move of it, with who made it, when and why."""
    manager = page.manager
    before = page.number("before", 1, 10**9) if page.asked("before") else None
    moves = manager.moves(name, "alias", model=model, most=MOVES + 1, before=before)
    refs, entries = manager.aliases(model=model), list(moves)[:MOVES]
    older = entries[-1].seq if len(moves) > MOVES else None
    stands, last = refs.get(name), refs.last_moves.get(name, 0)
    told = {
        "model": model, "alias": name, "version": None if stands is None else int(stands), "last_move": last or None,
        "moves": [each.to_dict() for each in entries], "before": older,
    }  # fmt: skip
    protection = manager.protections(model).get(name)
    data = {"model": model, "name": name, "stands": stands, "last": last, "moves": entries, "older": older}
    done = next((each for each in entries if str(each.seq) == page.asked("done")), None)
    to = page.asked("to").strip()
    left = rolled_away(page, model, int(to)) if to.isdecimal() and len(to) < 10 else None
    data |= {"protection": protection, "done": done, "to": to, "left": left, "key": str(uuid4())}
    return PageView(data, told)


@pages.act("/m/{model}/aliases/{name}", "alias", alias)
def move(page: Visit, said: Mapping[str, str], model: str, name: str) -> str:
    """Put an alias on a version, if its last move is the one that the page showed."""
    to, key = said.get("to", "").strip(), said.get("key") or None
    if not to:
        raise Malformed("no version is named; say where the alias is to stand")
    told: dict[str, Any] = {"reason": said.get("reason", ""), "override": said.get("override") == "1", "key": key}
    page.present.alias(name, f"{model}@{to}", expected=shown_move(said), **told)
    return page.link("m", model, "aliases", name, done=page.present.aliases(model=model).last_moves[name])


@pages.act("/m/{model}/names", "names", names)
def put(page: Visit, said: Mapping[str, str], model: str) -> str:
    """Put a name that is nowhere yet on a version."""
    kind, name, to = said.get("kind", ""), said.get("name", "").strip(), said.get("to", "").strip()
    if kind not in KINDS or not name or not to:
        raise Malformed("a kind, a name and a version are needed; fill in all three")
    rev, key = f"{model}@{to}", said.get("key") or None
    if kind == "alias":
        page.present.alias(name, rev, expected=LastMove(0), reason=said.get("reason", ""), key=key)
    elif kind == "branch":
        page.present.branch(name, rev, key=key)
    else:
        page.present.tag(name, rev, key=key)
    return page.link("m", model, "names")


def shown_move(said: Mapping[str, str]) -> LastMove:
    """The last move of a name that a form was made from. Raises `Malformed`."""
    words = said.get("expected", "")
    if not words.isdecimal() or len(words) > 18:
        raise Malformed("the form does not say what the page showed; open the page anew and send it again")
    return LastMove(int(words))


def rolled_away(page: Visit, model: str, number: int) -> Move | None:
    """The rollback from a version that nobody cleared it of since: a reason not to go back to it."""
    move = last_rollback_from(page.workspace.model(model), number)
    return move and replace(move, reason=page.workspace.opened(move.actor, move.reason))


def _told(refs: Any, pairs: Iterable[tuple[str, Version]]) -> dict[str, Any]:
    return {name: {"version": int(at), "digest": at.digest, "last_move": refs.last_moves[name]} for name, at in pairs}
