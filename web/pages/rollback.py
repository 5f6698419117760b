"""Rolling back: choose a version of a name's past, see what would change, rehearse on named rows, confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from ...domain.model.track_record import rolled_back_from
from ...errors import LeptonError, Malformed
from ...results import RollbackPlan, RolledBack, Suggestion
from ...results.figures import change
from .names import rolled_away, shown_move
from .page import PageRoutes, PageView, Visit

pages = PageRoutes()

DECIDING: Final = 5
"""Figures of a plan that are shown at once; the rest is folded."""


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
    rows, suggestion = page.asked("data"), _suggested(page, model, branch or "main")
    moves = _places(page, model, alias, branch) if name in refs else []
    proposed = _proposed(page, model, refs.get(name), moves, suggestion)
    to = page.asked("to").strip() or str(proposed or "")
    data: dict[str, Any] = {
        "model": model, "aliases": aliases, "branches": branches, "alias": alias, "branch": branch, "to": to,
        "data_sets": manager.data_sets(), "rows": rows, "stands": refs.get(name), "last": refs.last_moves.get(name, 0),
        "suggestion": suggestion, "moves": moves, "left": None, "folded": [], "shown": None,
        "is_protected": alias in manager.protections(model), "key": str(uuid4()), "plan": None, "why_not": "",
        "reason": page.asked("reason"),
    }  # fmt: skip
    if name and to and (page.asked("to").strip() or page.asked("plan")):
        try:
            planned = manager.rollback(_target(model, to), dry_run=True, **_aim(model, alias, branch, rows))
            assert isinstance(planned, RollbackPlan)
            data |= {"plan": planned, "left": rolled_away(page, model, int(planned.to_version))}
            data |= _deciding(planned, suggestion and suggestion.metric)
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


def _proposed(
    page: Visit, model: str, stands: int | None, places: list[int], suggestion: Suggestion | None
) -> int | None:
    """Where the name stood before; where that was rolled back from, what the ledger suggests or a place before."""
    if stands is None:
        return None
    barred = rolled_back_from(page.workspace.model(model))
    able = [number for number in places if number not in barred]
    if able[:1] != places[:1] and suggestion and suggestion.version in able:
        return suggestion.version
    return next(iter(able), None)


def _deciding(plan: RollbackPlan, metric: str | None) -> dict[str, Any]:
    """The plan with the few figures that decide: the metric that performance means, then those that differ most."""
    now, then = plan.metrics_now, plan.metrics_then
    main = plan.rehearsal.metric if plan.rehearsal else metric

    def weight(name: str) -> tuple[bool, float]:
        size = max(abs(now[name]), abs(then[name]))
        return name != main, -abs(then[name] - now[name]) / size if size else 0.0

    order = sorted(now.keys() & then.keys(), key=lambda name: (*weight(name), name))
    few, rest = order[:DECIDING], [name for name in order[DECIDING:] if now[name] != then[name]]
    shown = {"metrics_now": {name: now[name] for name in few}, "metrics_then": {name: then[name] for name in few}}
    folded = [(name, now[name], then[name], change(now[name], then[name])) for name in rest]
    return {"shown": replace(plan, **shown), "folded": folded}


def _places(page: Visit, model: str, alias: str, branch: str) -> list[int]:
    """Where the name stood before, the latest first, each once."""
    if not (alias or branch):
        return []
    moves = page.manager.moves(alias or branch, "alias" if alias else "branch", model=model, most=50)
    return list(dict.fromkeys(int(move.version) for move in moves if move.version is not None))[1:11]
