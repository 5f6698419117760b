"""Merging: two versions become one with both as parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from ...domain.commands import Expected, model_stream
from ...domain.guards import stands
from ...domain.model.state import ModelState
from ...errors import Refused, UnknownRevision
from ...events.envelope import Recorded
from ...events.model import VersionCommitted
from ...results import LastMove, Version
from ...settings import log
from ..restore import tensors
from ..save import save
from ..save_request import Named, Save
from ..source import Subject
from ..workspace import Workspace

if TYPE_CHECKING:
    import torch

    from ...tensors.tensor import Tensor

Strategy = Literal["ours", "theirs", "average"]
USUAL: Final = {"merge": "average", "weight": 0.5}


def merge(
    workspace: Workspace,
    model: ModelState,
    theirs: Named,
    *,
    into: str,
    strategy: Strategy,
    weight: float,
    message: str,
    expected: Expected | None,
    key: str | None,
) -> Version:
    """Merge a version into a branch; the branch's head itself where it holds that version already.

    `ours` and `theirs` take one side's tensors whole; `average` is (1 - weight) ours + weight theirs, element by
    element (model soups, Wortsman et al. 2022), over floating tensors; integer and boolean ones stay ours.
    """
    if strategy not in ("ours", "theirs", "average"):
        raise Refused(f"there is no merge strategy {strategy!r}; choose ours, theirs or average")
    if not 0 <= weight <= 1:
        raise Refused(f"weight is {weight}; it is theirs' share, from 0 to 1")
    known, there = workspace.known(key), theirs.version
    assert isinstance(there, int)
    ours, other = _sides(model, into, there, known)
    derivation: dict[str, Any] = {"merge": strategy} | ({"weight": weight} if strategy == "average" else {})
    if not known:
        stands(f"branch {into!r}", expected, ours, model.last_move("branch", into))
    if not known and model.comes_from(ours, other):
        if derivation not in (USUAL, model.version(ours).event.derivation):
            log.warning("version %d is merged into %r already; strategy and weight count for nothing", other, into)
        return workspace.version(model, ours)
    kept = model.version(other if strategy == "theirs" else ours).event
    subject = Subject(
        name=model.name,
        named=True,
        tensors=_merged(workspace, model, ours, other, strategy, weight),
        architecture=kept.architecture,
        hyperparameters=kept.hyperparameters,
        settings=_settings(model, ours, other, kept, strategy),
        data=kept.data,
    )
    request = Save(
        branch=into,
        message=message,
        parents=(Named(into, ours, theirs.role), theirs._replace(version=other)),
        derivation=derivation,
        # whoever names a revision means that `ours` is what it names
        expected=expected if isinstance(expected, LastMove) else ours,
    )
    return save(workspace, subject, request, key)


def _settings(
    model: ModelState, ours: int, theirs: int, kept: VersionCommitted, strategy: Strategy
) -> Mapping[str, Any]:
    """One side's settings; of parameters that are neither's, without a correction of that side's probabilities."""
    from ...evaluation.answers.corrections import without_corrections

    same = model.version(ours).event.tensors == model.version(theirs).event.tensors
    return without_corrections(kept.settings) if strategy == "average" and not same else kept.settings


def _sides(model: ModelState, into: str, theirs: int, known: Iterable[Recorded]) -> tuple[int, int]:
    """The versions to be merged: those that were, where this merge was recorded before."""
    for recorded in known:
        if recorded.stream == model_stream(model.name) and isinstance(recorded.event, VersionCommitted):
            ours, theirs = (*model.version(recorded.event.version).parents, theirs, theirs)[:2]
            return ours, theirs
    if (head := model.head(into)) is None:
        raise UnknownRevision(f"{model.name} has no branch {into!r}; `lepton branch` lists them")
    return head, theirs


def _merged(
    workspace: Workspace, model: ModelState, ours: int, theirs: int, strategy: Strategy, weight: float
) -> Mapping[str, Tensor]:
    if strategy == "average":
        return average(tensors(workspace, model, ours), tensors(workspace, model, theirs), weight)
    return tensors(workspace, model, theirs if strategy == "theirs" else ours)


def average(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], weight: float) -> dict[str, Tensor]:
    """The weighted mean of two sets of tensors; `Refused` where their names, dtypes or shapes differ."""
    import numpy as np
    import torch

    from ...models.state import tensors_of, to_torch

    if shapes(ours) != shapes(theirs):
        odd = sorted(dict(shapes(ours).items() ^ shapes(theirs).items()))
        raise Refused(f"the versions differ in tensor {odd[0]!r}; an average needs the same names, dtypes and shapes")
    made: dict[str, Any] = {}
    tied: dict[int, Any] = {}
    for name, tensor in ours.items():
        mine, other = to_torch(tensor), to_torch(theirs[name])
        same = np.array_equal(tensor.raw(), theirs[name].raw())  # a merge of x with x is x, NaN and all
        if not same and (mine.is_floating_point() or mine.is_complex()):
            wide = torch.float64 if mine.is_floating_point() else torch.complex128
            mine = _mean(name, mine, other, wide, weight)
        made[name] = tied.setdefault(id(tensor), mine)
    return tensors_of(made)


def _mean(name: str, mine: torch.Tensor, other: torch.Tensor, wide: torch.dtype, weight: float) -> torch.Tensor:
    """The weighted mean, rounded once. Raises `Refused` for a dtype that torch has no arithmetic for."""
    try:
        return (mine.to(wide) * (1 - weight) + other.to(wide) * weight).to(mine.dtype)
    except (NotImplementedError, RuntimeError, TypeError) as error:
        dtype = str(mine.dtype).removeprefix("torch.")
        raise Refused(
            f"tensor {name!r} is {dtype}, of which there is no average; merge by the strategy ours or theirs"
        ) from error


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names to dtype and shape."""
    return {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
