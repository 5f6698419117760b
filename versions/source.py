"""What a caller hands over to be kept: a Lepton model, a torch module, an estimator, or names of tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ..errors import Malformed
from ..models.wrapped import unwrapped
from ..plain import words_of
from ..settings import log

if TYPE_CHECKING:
    from ..tensors.tensor import Tensor


_DIGEST = re.compile(r"(blake3|sha256):[0-9a-f]{64}")
_FIELDS = {"digest", "version", "rows", "columns", "labels", "v1"}
"""What a fingerprint of any version has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object read for keeping: its tensors, and what it knows about itself."""

    name: str
    named: bool
    """Whether the caller chose the name; else it is the class's."""
    tensors: Mapping[str, Tensor]
    architecture: Mapping[str, Any] = field(default_factory=dict[str, Any])
    hyperparameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    data: Mapping[str, Any] | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    validation: Mapping[str, Any] | None = None
    """Fingerprint of the rows that the metrics are of."""
    task: str | None = None
    """What the metrics are of."""
    manifest: str | None = None
    """Digest of the manifest that the tensors must come to, where it was told with them."""


def read(source: Any, name: str | None) -> Subject:
    """Read an object for keeping. Raises `Malformed` where it is none of these, or a mapping without a name."""
    if (arrays := _arrays(source)) is not None and name is not None:
        return Subject(name=name, named=True, tensors=arrays)
    if isinstance(source, type):
        raise Malformed(f"{words_of(source)} cannot be kept; give an object of it, as {source.__name__}(...) makes")
    import torch

    from ..models.estimators.kinds import is_estimator
    from ..models.model import Model, kebab
    from ..models.registry import architecture_of
    from ..models.state import tensors_of

    if not isinstance(source, Model | torch.nn.Module) and is_estimator(source):
        from ..models.estimators.model import KeptEstimator

        source = KeptEstimator.of(source)
    if isinstance(source, Model):
        return Subject(
            name=name or source.name,
            named=name is not None,
            tensors=tensors_of(source),
            architecture=source.architecture(),
            hyperparameters=source.hyperparameters,
            settings=source.settings,
            data=source.data,
            metrics=source.metrics,
            validation=source.validation,
            task=source.TASK or None,
        )
    if isinstance(source, torch.nn.Module):
        module = unwrapped(source)
        if module is not source and hasattr(source, "n_averaged"):
            log.warning("the count of an average, n_averaged, is not kept; keep it in annotations=, if it is to go on")
        return Subject(
            name=name or kebab(type(module).__name__),
            named=name is not None,
            tensors=tensors_of(source),
            architecture=architecture_of(module),
        )
    if isinstance(source, Mapping):
        if name is None:
            raise Malformed("a mapping of tensors bears no name of its own; pass `name=`")
        return Subject(name=name, named=True, tensors=tensors_of(_named(source)))  # pyright: ignore[reportUnknownArgumentType]
    known = "a Lepton model, a torch module, a fitted estimator or a mapping of tensors"
    raise Malformed(f"{words_of(source)} cannot be kept; give {known}")


def _arrays(source: Any) -> Mapping[str, Tensor] | None:
    """The tensors of a mapping of nothing but arrays: seconds would go by before torch is imported."""
    if not isinstance(source, Mapping) or hasattr(cast("object", source), "state_dict"):
        return None
    from ..tensors.tensor import arrays_of

    return arrays_of(_named(cast("Mapping[Any, Any]", source)))


def _named(source: Mapping[Any, Any]) -> Mapping[str, Any]:
    if not source:
        raise Malformed("a mapping without a tensor cannot be kept; name at least one")
    for name in source:
        if not isinstance(name, str) or not name:
            raise Malformed(f"{name!r} cannot name a tensor; names are text")
    return source


def is_fingerprint(data: Mapping[Any, Any]) -> bool:
    """Whether this is what is told of rows, and not the rows."""
    digest = data.get("digest")
    return isinstance(digest, str) and bool(_DIGEST.fullmatch(digest)) and data.keys() <= _FIELDS


def fingerprint_of(data: Any) -> Mapping[str, Any] | None:
    """What may be told of data: names, types, counts and a digest. A fingerprint is taken as it is.

    A mapping is one only if it has nothing that a fingerprint has not: it could be columns, one of them called digest.
    """
    if data is None:
        return None
    if isinstance(data, Mapping) and is_fingerprint(data):  # pyright: ignore[reportUnknownArgumentType]
        return dict(data)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    from ..datasets.tables import fingerprint

    return fingerprint(*data) if isinstance(data, tuple) else fingerprint(data)  # pyright: ignore


def identity_of(rows: Any) -> Mapping[str, Any] | None:
    """What tells rows apart that figures are of: their fingerprint without its columns."""
    return without_columns(fingerprint_of(rows))


def without_columns(fingerprint: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A fingerprint, whoever told it, less what it says of single columns."""
    return fingerprint and {name: told for name, told in fingerprint.items() if name not in ("columns", "labels")}
