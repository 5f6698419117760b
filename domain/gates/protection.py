"""Whether a protected alias may move to a version: by a gate that it passed, or by an override with its reason."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from ...errors import GateNotMet, Malformed, Refused, Stale
from ...events.model import AliasProtected
from ..commands import MovesAliases
from ..expressions.parsing import parsed
from ..expressions.tree import names
from ..model.state import ModelState


def passage(model: ModelState, alias: str, to: int, command: MovesAliases) -> dict[str, Any]:
    """By what an alias may move to a version, as its move records it; nothing where it is not protected.

    Raises `GateNotMet` where it is, no gate was passed, and nobody overrides it.
    """
    protection = model.protected.get(alias)
    if protection is None:
        return {}
    against = _compared_with(protection, command)
    standing = None if against is None else _standing(model, against)
    newest = _newest(protection, command)
    passed = [seq for seq in model.passed.get(to, ()) if _covers(model, seq, protection, newest)]
    fitting = [seq for seq in passed if standing is None or model.gates[seq].against == standing]
    missed = _missed(model, to, protection, newest, standing)
    if fitting and fitting[-1] > missed:
        return {"gate": fitting[-1]}
    if command.override and not command.reason:
        raise Malformed(
            f"alias {alias!r} is protected, and moved all the same only for a reason",
            python="give reason=",
            cli="give --reason",
        )
    if command.override:
        return {"override": True}
    if fitting:
        what = f"version {to} of {model.name} was judged for alias {alias!r} again, and did not pass (event {missed})"
        raise GateNotMet(what, **_ways(model, to, protection, against))
    raise _not_met(model, protection, to, against, passed[-1] if passed else None)


def undeletable(model: ModelState, alias: str) -> None:
    """A protected alias keeps its name: it is protected no more before it is given up."""
    if alias in model.protected:
        raise Refused(
            f"alias {alias!r} of {model.name} is protected, and is not deleted before that is taken off",
            python=f"unprotect({alias!r}) does so",
            cli=f"`lepton alias unprotect {alias}` does so",
        )


def compares(texts: Iterable[str]) -> bool:
    """Whether requirements compare with a version that is named."""
    return any(name.side == "against" for text in texts for name in names(parsed(text)))


def _compared_with(protection: AliasProtected, command: MovesAliases) -> str | None:
    """The name that a gate must have compared with where that stands now; None where it compares with none."""
    if protection.suite is not None:
        return command.compared.get(protection.suite)
    return (protection.against or protection.alias) if compares(protection.requirements) else None


def _standing(model: ModelState, name: str) -> int:
    """Where an alias, branch or tag stands, 0 where there is none."""
    return model.alias(name) or model.head(name) or model.tags.get(name, 0)


def _missed(model: ModelState, to: int, protection: AliasProtected, newest: int | None, standing: int | None) -> int:
    """The last gate at which a version did not meet what a protection requires, 0 where there is none.

    What it must meet is as it was judged last: a gate that was passed before such a one counts no more.
    """
    missed = (
        seq
        for seq, gate in model.gates.items()
        if gate.version == to and not gate.passed and standing in (None, gate.against)
        if (protection.suite is not None and (gate.suite, gate.suite_version) == (protection.suite, newest))
        or any(each.text in protection.requirements and not each.holds for each in gate.requirements)
    )
    return max(missed, default=0)


def _newest(protection: AliasProtected, command: MovesAliases) -> int | None:
    """The definition that counts of the suite that protects an alias. `Stale` where it came to protect it just now."""
    if protection.suite is not None and protection.suite not in command.suites:
        what = f"the protection of alias {protection.alias!r}"
        raise Stale(what, "another", f"suite {protection.suite!r}", "look at it and try again")
    return command.suites.get(protection.suite or "")


def _covers(model: ModelState, seq: int, protection: AliasProtected, newest: int | None) -> bool:
    """Whether a gate judged all that a protection requires, and a suite's as the suite is defined now."""
    gate = model.gates[seq]
    texts = {each.text for each in gate.requirements}
    of_suite = protection.suite is None or (gate.suite, gate.suite_version) == (protection.suite, newest)
    return texts.issuperset(protection.requirements) and of_suite


def _not_met(
    model: ModelState, protection: AliasProtected, to: int, against: str | None, stale: int | None
) -> GateNotMet:
    what = f"alias {protection.alias!r} of {model.name} is protected, and version {to} passed no gate that requires "
    what += " and ".join(protection.requirements) or f"what suite {protection.suite} does as it is defined now"
    standing = None if against is None else _standing(model, against)
    if standing == 0:
        what += f", for {against} stands on no version yet to be compared with"
        told = protection.requirements
        return GateNotMet(
            what,
            requirements=told,
            python="override=True with a reason= moves it",
            cli="--override --reason TEXT moves it",
        )
    if stale is not None:
        before = model.gates[stale].against
        what = (
            f"the gate that version {to} of {model.name} passed (event {stale}) compared it with "
            f"{'nothing' if before is None else f'version {before}'}, and {against} stands on version {standing} by now"
        )
    return GateNotMet(what, **_ways(model, to, protection, against))


def _ways(model: ModelState, to: int, protection: AliasProtected, against: str | None) -> dict[str, Any]:
    """What to do where an alias does not move, at each door; a suite says itself what it compares with."""
    rev = f"{model.name}@{to}"
    compared = None if against is None or protection.suite else f"{model.name}@{against}"
    return {
        "requirements": protection.requirements,
        "python": f"{_call(rev, compared, protection)} judges it, or move it with override=True and a reason=",
        "cli": f"`{_command(rev, compared, protection)}` judges it, or move it with --override --reason TEXT",
    }


def _command(rev: str, compared: str | None, protection: AliasProtected) -> str:
    words = ["lepton", "gate", rev, *(("--against", compared) if compared else ())]
    words += [word for text in protection.requirements for word in ("--require", text)]
    return shlex.join([*words, *(("--suite", protection.suite) if protection.suite else ())])


def _call(rev: str, compared: str | None, protection: AliasProtected) -> str:
    given: list[str] = [repr(rev), *((f"against={compared!r}",) if compared else ())]
    given += [f"require={list(protection.requirements)!r}"] if protection.requirements else []
    return f"gate({', '.join([*given, *((f'suite={protection.suite!r}',) if protection.suite else ())])})"
