"""What a build is: the rows, what is asked of them, and what is tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from optuna.distributions import CategoricalDistribution

from ...building.automatic.candidates import BuildCandidate, Choice
from ...building.automatic.plan import FoldPlan
from ...building.search.space import SearchedParameter, SearchSpace, space_of
from ...errors import Refused
from ...models.registry import hyperparameters_of
from ..studies.definition import SearchDefinition

CANDIDATE: Final = "candidate"
"""The hyperparameter of a trial that says which kind of model it is; those of the kind bear its name in front."""


@dataclass(frozen=True, slots=True)
class BuildDefinition(SearchDefinition):
    """A search over several kinds of models, each judged by the same folds of the same rows."""

    plan: FoldPlan
    choice: Choice
    digest: str
    """Of the rows and their labels."""

    def told(self) -> dict[str, Any]:
        """The build as its study's event has it."""
        built = {"rows": self.digest, "label": self.label, **self.plan.model_dump(exclude_none=True)}
        search = {"metrics": list(self.metrics), "space": self.space.told(), "seed": self.seed}
        return {"build": built, **search, **self.chosen.to_dict()}

    def tried(self, drawn: Mapping[str, Any]) -> tuple[BuildCandidate, dict[str, Any]]:
        """The kind of model that a trial is, and the hyperparameters of it."""
        candidate = self.choice.named(drawn[CANDIDATE])
        own = {name.partition(".")[2]: value for name, value in drawn.items() if name.startswith(f"{candidate.name}.")}
        return candidate, {**candidate.fixed, "seed": self.seed, **own}

    def starts(self) -> list[dict[str, Any]]:
        """What is tried first: the surest setting of each kind, then the next of each."""
        most = max(len(each.starts) for each in self.choice.candidates)
        return [
            {CANDIDATE: each.name} | {f"{each.name}.{name}": value for name, value in each.starts[turn].items()}
            for turn in range(most)
            for each in self.choice.candidates
            if turn < len(each.starts)
        ]

    def on_the_way(self, figures: Mapping[str, float]) -> float | None:
        """The mean of the metric over the folds so far."""
        return figures.get(self.metrics[0])


def space_of_choice(choice: Choice) -> SearchSpace:
    """The space of all candidates: which of them, and what each is searched between where it is the one."""
    which = SearchedParameter(CANDIDATE, CategoricalDistribution([each.name for each in choice.candidates]), {})
    parameters = [which]
    for each in choice.candidates:
        fields = hyperparameters_of(each.model_class)
        if fields is None:
            raise Refused(f"{each.model_class} is no model that trains itself")
        own = space_of(fields, each.space, each.fixed).parameters
        parameters += [replace(one, name=f"{each.name}.{one.name}", when={CANDIDATE: (each.name,)}) for one in own]
    return SearchSpace(tuple(parameters))


def study_name(model: str, told: Mapping[str, Any]) -> str:
    """The name of a build's study: other rows, labels, folds or candidates are another build."""
    import blake3

    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return f"build/{model}/{blake3.blake3(canonical.encode()).hexdigest()[:12]}"
