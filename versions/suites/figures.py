"""The figures that a suite may name: those of the task that its model is judged by, and what else is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from ...domain.expressions.parsing import malformed
from ...domain.expressions.tree import Condition, names
from ...domain.model.state import ModelState
from ...errors import Malformed
from ...results.judging.performance import names_of
from ..workspace import Workspace


def own_figures(
    workspace: Workspace,
    model: str | None,
    branch: str,
    trees: Sequence[tuple[str, Condition]],
    metrics: Sequence[str],
) -> list[str]:
    """The metrics of one's own among the figures that a suite names, which its evaluations have to be asked for.

    Raises `Malformed` where a requirement or a metric names no figure that a version could have.
    """
    state = ModelState() if model is None else workspace.model(model)
    task = _task(state, branch)
    known = _known(state, task)
    for text, tree in trees:
        for name in names(tree):
            if (fault := _fault(name.name, known, task)) is not None:
                raise malformed(text, name.place, fault)
    for metric in metrics:
        if (fault := _fault(metric, known, task)) is not None:
            raise Malformed(f"the suite reports {metric!r}, and {fault}")
    named = (*metrics, *(name.name for _, tree in trees for name in names(tree)))
    standard = names_of(task)
    return [name for name in dict.fromkeys(named) if "/" not in name and name not in standard]


def _fault(name: str, known: set[str], task: str | None) -> str | None:
    """What is wrong with a name, nothing where it may be a figure; NAME/f1 is another evaluation's f1."""
    if name in known or name.rpartition("/")[2] in known:
        return None
    near = get_close_matches(name, sorted(known), 2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known)[:8])} and others"
    what = f"{name!r} is no figure" + (f" of a {task} model" if task else "")
    return f"{what}; {hint}, and those of your own that are registered here"


def _task(model: ModelState, branch: str) -> str | None:
    """What the branch's head is judged by, else the newest version that says so; None where nothing is known."""
    numbers = (model.head(branch), max(model.versions, default=None))
    tasks = (model.version(number).event.task for number in numbers if number is not None)
    return next(filter(None, tasks), None)


def _known(model: ModelState, task: str | None) -> set[str]:
    """The names of figures: of one task or of all, and of metrics of one's own, as they are registered or defined."""
    from ...evaluation.own.metrics import registered

    return names_of(task) | {*model.better} | {*registered()}
