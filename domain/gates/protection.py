"""Whether a protected alias may move to a version: by a gate that it passed, or by an override with its reason."""

from __future__ import annotations

import shlex
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
    standing = _compared_with(model, protection)
    newest = _newest(protection, command)
    passed = [seq for seq in model.passed.get(to, ()) if _covers(model, seq, protection, newest)]
    fitting = [seq for seq in passed if standing is None or model.gates[seq].against == standing]
    if fitting:
        return {"gate": fitting[-1]}
    if command.override and not command.reason:
        raise Malformed(
            f"alias {alias!r} is protected, and moved all the same only for a reason",
            python="give reason=",
            cli="give --reason",
        )
    if command.override:
        return {"override": True}
    raise _not_met(model, protection, to, standing, passed[-1] if passed else None)


def undeletable(model: ModelState, alias: str) -> None:
    """A protected alias keeps its name: it is protected no more before it is given up."""
    if alias in model.protected:
        raise Refused(
            f"alias {alias!r} of {model.name} is protected, and is not deleted before that is taken off",
            python=f"unprotect({alias!r}) does so",
            cli=f"`lepton alias unprotect {alias}` does so",
        )


def _compared_with(model: ModelState, protection: AliasProtected) -> int | None:
    """The version that a gate must have compared with: 0 where there is none, None where it compares with none."""
    if not any(name.side == "against" for text in protection.requirements for name in names(parsed(text))):
        return None
    name = protection.against or protection.alias
    return model.alias(name) or model.head(name) or model.tags.get(name, 0)


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
    model: ModelState, protection: AliasProtected, to: int, standing: int | None, stale: int | None
) -> GateNotMet:
    alias, against = protection.alias, protection.against or protection.alias
    what = f"alias {alias!r} of {model.name} is protected, and version {to} passed no gate that requires "
    what += " and ".join(protection.requirements) or f"what suite {protection.suite} does as it is defined now"
    if standing == 0:
        what += f", for {against} stands on no version yet to be compared with"
        return GateNotMet(what, python="override=True with a reason= moves it", cli="--override --reason TEXT moves it")
    if stale is not None:
        before = model.gates[stale].against
        what = (
            f"the gate that version {to} of {model.name} passed (event {stale}) compared it with "
            f"{'nothing' if before is None else f'version {before}'}, and {against} stands on version {standing} by now"
        )
    rev = f"{model.name}@{to}"
    compared = None if standing is None else f"{model.name}@{against}"
    return GateNotMet(
        what,
        python=f"{_call(rev, compared, protection)} judges it, or move it with override=True and a reason=",
        cli=f"`{_command(rev, compared, protection)}` judges it, or move it with --override --reason TEXT",
    )


def _command(rev: str, compared: str | None, protection: AliasProtected) -> str:
    words = ["lepton", "gate", rev, *(("--against", compared) if compared else ())]
    words += [word for text in protection.requirements for word in ("--require", text)]
    return shlex.join([*words, *(("--suite", protection.suite) if protection.suite else ())])


def _call(rev: str, compared: str | None, protection: AliasProtected) -> str:
    given: list[str] = [repr(rev), *((f"against={compared!r}",) if compared else ())]
    given += [f"require={list(protection.requirements)!r}"] if protection.requirements else []
    return f"gate({', '.join([*given, *((f'suite={protection.suite!r}',) if protection.suite else ())])})"
