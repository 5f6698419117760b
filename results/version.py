"""Versions as callers hold them: a number that knows its model."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class VersionRef(NamedTuple):
    """Which version of which model: equal to the pair of both, told as `model@number`."""

    model: str
    number: int

    def __str__(self) -> str:
        return f"{self.model}@{self.number}"


class Version(int):
    """A version's number, which it prints and hashes as; it knows its model, so it works beside other models."""

    model: str
    digest: str
    branch: str
    parents: tuple[tuple[int | VersionRef, str], ...]

    def __new__(
        cls,
        number: int,
        *,
        model: str,
        digest: str,
        branch: str,
        parents: tuple[tuple[int | VersionRef, str], ...] = (),
    ) -> Version:
        """A version of `model`; `parents` are (number, role), and of other models (`VersionRef`, role)."""
        made = super().__new__(cls, number)
        made.model, made.digest, made.branch, made.parents = model, digest, branch, parents
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _version, (int(self), self.model, self.digest, self.branch, self.parents)

    def __repr__(self) -> str:
        return f"Version({int(self)}, model={self.model!r}, digest={self.digest!r}, branch={self.branch!r})"

    def __str__(self) -> str:
        return int.__repr__(self)

    def to_dict(self) -> dict[str, Any]:
        """Number, model, digest, branch and parents."""
        refs = [(VersionRef(self.model, int(ref)) if isinstance(ref, int) else ref, role) for ref, role in self.parents]
        parents = [{"model": ref.model, "version": ref.number, "role": role} for ref, role in refs]
        return {
            "version": int.__int__(self),
            "model": self.model,
            "digest": self.digest,
            "branch": self.branch,
            "parents": parents,
        }


@dataclass(frozen=True, slots=True)
class PendingVersion:
    """A version that waits in the spool while the ledger is away: it has a key, and no number yet.

    It serves as a parent of later saves and, once it was delivered, wherever a revision does. It is no number: what
    needs one raises. Two are equal where their keys are.
    """

    key: str
    """The key of the save that will make it."""
    model: str = field(compare=False)
    branch: str = field(compare=False)

    def __str__(self) -> str:
        return "pending" if os.environ.get("LEPTON_LANG", "zh").lower().startswith("en") else "待定"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec.rstrip("dn"))

    def to_dict(self) -> dict[str, Any]:
        """As a version's, with its key; number and digest are None."""
        known: dict[str, Any] = {
            "version": None,
            "model": self.model,
            "digest": None,
            "branch": self.branch,
            "parents": [],
        }
        return known | {"key": self.key}

    def _number(self) -> Any:
        raise TypeError("the version is pending: it gets its number when `lepton sync` has delivered it")

    __int__ = __index__ = __float__ = _number


def _version(
    number: int, model: str, digest: str, branch: str, parents: tuple[tuple[int | VersionRef, str], ...]
) -> Version:
    return Version(number, model=model, digest=digest, branch=branch, parents=parents)
