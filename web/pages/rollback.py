"""Rolling back: choose a version of a name's past, see what would change, rehearse on named rows, confirm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ...errors import LeptonError, Malformed
from ...results import RolledBack, Suggestion
from .names import shown_move
from .page import PageRoutes, PageView, Visit

pages = PageRoutes()


@pages.page("/m/{model}/rollback", "rollback", few=True)
def plan(page: Visit, model: str) -> PageView:
    """A rollback before it is done: what may be chosen, what it would change, how both do on the same rows."""
    manager = page.manager
    aliases, branches = manager.aliases(model=model), manager.branches(model)
    alias, branch = page.asked("alias"), page.asked("branch")
    if not alias and not branch and aliases:
        alias = "production" if "production" in aliases else next(iter(aliases))
    elif not alias and not branch:
        branch = "main" if "main" in branches else next(iter(branches), "")
    refs, name = (aliases, alias) if alias else (branches, branch)
    to, rows = page.asked("to").strip(), page.asked("data")
    data: dict[str, Any] = {
        "model": model, "aliases": aliases, "branches": branches, "alias": alias, "branch": branch, "to": to,
        "data_sets": manager.data_sets(), "rows": rows, "stands": refs.get(name), "last": refs.last_moves.get(name, 0),
        "suggestion": _suggested(page, model, branch or "main"),
        "moves": _places(page, model, alias, branch) if name in refs else [],
        "is_protected": alias in manager.protections(model), "key": str(uuid4()), "plan": None, "why_not": "",
        "reason": page.asked("reason"),
    }  # fmt: skip
    if name and (to or (alias and page.asked("plan"))):
        try:
            data["plan"] = manager.rollback(_target(model, to), dry_run=True, **_aim(model, alias, branch, rows))
        except LeptonError as error:
            data["why_not"] = error.fact
    told = {"model": model, "alias": alias or None, "branch": branch or None, "last_move": data["last"]}
    return PageView(data, {**told, "plan": data["plan"] and data["plan"].to_dict(), "refused": data["why_not"] or None})


@pages.act("/m/{model}/rollback", "rollback", plan)
def roll_back(page: Visit, said: Mapping[str, str], model: str) -> str:
    """Roll back, if the name's last move is the one that the page showed."""
    alias, branch = said.get("alias", ""), said.get("branch", "")
    if bool(alias) is bool(branch):
        raise Malformed("a branch or an alias is rolled back; name one of the two")
    told: dict[str, Any] = {"reason": said.get("reason", ""), "override": said.get("override") == "1"}
    done = page.present.rollback(
        _target(model, said.get("to", "").strip()),
        expected=shown_move(said),
        key=said.get("key") or None,
        **_aim(model, alias, branch, said.get("data", "")),
        **told,
    )
    assert isinstance(done, RolledBack)
    if alias:
        last = page.present.aliases(model=model).last_moves.get(alias)
        return page.link("m", model, "aliases", alias, done=last)
    return page.link("m", model, "log", rev=branch)


def _target(model: str, to: str) -> str | None:
    return f"{model}@{to}" if to else None


def _aim(model: str, alias: str, branch: str, rows: str) -> dict[str, Any]:
    which = {"alias": alias} if alias else {"branch": branch}
    return {"model": model, **which} | ({"rehearse": f"data:{rows}"} if rows else {})


def _suggested(page: Visit, model: str, branch: str) -> Suggestion | None:
    """What the ledger itself would go back to; nothing where it has no such version."""
    try:
        return page.manager.suggest_rollback(model=model, branch=branch)
    except LeptonError:
        return None


def _places(page: Visit, model: str, alias: str, branch: str) -> list[int]:
    """Where the name stood before, the latest first, each once."""
    if not (alias or branch):
        return []
    moves = page.manager.moves(alias or branch, "alias" if alias else "branch", model=model, most=50)
    return list(dict.fromkeys(int(move.version) for move in moves if move.version is not None))[1:11]
