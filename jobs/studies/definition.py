"""What a search is: all that must be the same where it is gone on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...building.search.samplers import check_names
from ...building.search.space import SearchSpace, space_of
from ...datasets.selection import Selection
from ...domain.guards import branch_is_open
from ...domain.model.metric import Better, better_when, checked_better
from ...domain.model.state import ModelState
from ...domain.names import checked_label, checked_model, checked_name
from ...domain.studies.decide import checked_study
from ...domain.studies.state import StudyState
from ...errors import Malformed, Refused
from ...events.study import Direction
from ...models.cards import CARDS
from ...models.hyperparameter import check
from ...models.model import Model
from ...models.registry import hyperparameters_of, known, registered
from ...plain import plain

_USUAL: Final = {"binary": "f1", "multiclass": "macro_f1", "regression": "rmse"}
"""The metric that is searched for where none is named, by the one task that a model takes."""
DIRECTIONS: Final[Mapping[Better, Direction]] = {"higher": "maximize", "lower": "minimize"}
MOST_METRICS: Final = 3
ROWS: Final = ("rows", "named_rows")
"""What a study's event says of its training rows: the digest of those that are learnt from, of those of the name."""


@dataclass(frozen=True, slots=True)
class SearchDefinition:
    """A search as it is asked for, checked."""

    study: str
    model_class: str
    model: str
    """The name that versions are kept under."""
    label: str | None
    metrics: tuple[str, ...]
    directions: tuple[Direction, ...]
    better: Mapping[str, Better]
    space: SearchSpace
    sampler: str
    pruner: str
    seed: int
    fixed: Mapping[str, Any]
    chosen: Selection

    def told(self) -> dict[str, Any]:
        """The search as its study's event has it."""
        return {
            "class": self.model_class,
            "label": self.label,
            "metrics": list(self.metrics),
            "space": self.space.told(),
            "sampler": self.sampler,
            "pruner": self.pruner,
            "seed": self.seed,
            "hyperparameters": plain(self.fixed, "hyperparameters"),
            **self.chosen.to_dict(),
        }

    def check_same(self, study: StudyState, rows: Mapping[str, str]) -> None:
        """Raise `Refused` where a study of this name searches otherwise, or on other `rows`, where both are known."""
        search = study.search
        told = {**self.told(), "directions": list(self.directions), "model": self.model}
        known = {name: value for name, value in search.items() if name not in ROWS}
        known |= {"directions": list(study.directions), "model": study.model}
        if not search:
            raise Refused(f"study {self.study!r} was not made by a search of Lepton's; give another name")
        if other := next((name for name in {**told, **known} if told.get(name) != known.get(name)), None):
            raise Refused(
                f"study {self.study!r} searches with another {other}; a study goes on as it began",
                python="give the search another name by study=",
                cli="give the search another name by --study",
            )
        if any(search.get(name, digest) != digest for name, digest in rows.items()):
            raise Refused(
                f"study {self.study!r} was begun on other training rows; a study goes on as it began",
                python="give the search another name by study=",
                cli="give the search another name by --study",
            )

    def hyperparameters(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """What a trial's model is given."""
        return {**self.fixed, **drawn}

    def on_the_way(self, figures: Mapping[str, float]) -> float | None:
        """What of an epoch's figures is held against other trials', in the direction of the first metric; the held-out
        loss, where it is told."""
        loss = figures.get("held_out_loss", figures.get("loss"))
        return loss if loss is None or self.directions[0] == "minimize" else -loss


def definition_of(
    model: str,
    state: ModelState,
    *,
    study: str | None,
    label: str | None,
    metric: str | Sequence[str] | None,
    better: Mapping[str, str] | None,
    space: Mapping[str, Any] | None,
    sampler: str,
    pruner: str,
    seed: int,
    hyperparameters: Mapping[str, Any] | None,
    branch: str,
    chosen: Selection,
) -> SearchDefinition:
    """A search, or `Malformed` in one sentence before anything of it is begun; `Refused` where nobody knows which way a
    metric is better."""
    kind = known(model)
    fields = hyperparameters_of(kind)
    if fields is None:
        raise Refused(f"{model!r} is no model that trains itself; `lepton library` lists those that do")
    branch_is_open(state, checked_name(branch, "branch"))
    fixed = dict(hyperparameters or {})
    for name, value in fixed.items():
        if name not in fields.model_fields:
            raise Malformed(
                f"the model takes no hyperparameter {name!r}; it takes {', '.join(sorted(fields.model_fields))}"
            )
        check(fields, name, value)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**53:  # pyright: ignore
        raise Malformed(f"the seed of a search is a whole number from 0, not {seed!r}")
    told = checked_better(better or {})
    metrics = _metrics(kind, metric)
    directions: tuple[Direction, ...] = tuple(
        DIRECTIONS[better_when(each, {**state.better, **told})] for each in metrics
    )
    searched = space_of(fields, space, fixed)
    check_names(sampler, pruner, len(metrics), searched)
    name = checked_model(state.name)
    return SearchDefinition(
        checked_study(study or name), kind, name, label, metrics, directions, told, searched, sampler, pruner, seed,
        fixed, chosen,
    )  # fmt: skip


def _tasks(kind: str) -> tuple[str, ...]:
    """What a model may be for, as its card says; a class of a user's own says it itself."""
    if kind in CARDS:
        return CARDS[kind].tasks
    own: type[Model] = registered(kind)
    return (own.TASK,)


def _metrics(kind: str, metric: str | Sequence[str] | None) -> tuple[str, ...]:
    if metric is None:
        tasks = _tasks(kind)
        if len(tasks) != 1 or tasks[0] not in _USUAL:
            raise Malformed(
                f"{kind} is for several tasks, so nobody can say what is best",
                python="name a metric such as f1, macro_f1 or rmse by metric=",
                cli="name a metric such as f1, macro_f1 or rmse by --metric",
            )
        return (_USUAL[tasks[0]],)
    several = (metric,) if isinstance(metric, str) else tuple(metric)
    if not several or len(several) > MOST_METRICS:
        raise Malformed(f"a search is for one to {MOST_METRICS} metrics, and {len(several)} are named")
    if len(set(several)) < len(several):
        raise Malformed(f"{several[0]!r} is named twice among the metrics; name each once")
    return tuple(checked_label(each, "metric") for each in several)
