"""Versions as callers hold them: a number that knows its model."""

from __future__ import annotations

import os
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


class PendingVersion(Version):
    """A version that waits in the spool while the ledger is away: it has a key, and no number yet.

    It serves as a parent of later saves and, once it was delivered, wherever a revision does; until then whatever
    needs its number raises. Two are equal where their keys are.
    """

    key: str

    def __new__(cls, key: str, *, model: str, branch: str) -> PendingVersion:
        """The version that the save under `key` will become."""
        made = super().__new__(cls, 0, model=model, digest="", branch=branch)
        assert isinstance(made, PendingVersion)
        made.key = key
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _pending, (self.key, self.model, self.branch)

    def __repr__(self) -> str:
        return f"PendingVersion({self.key!r}, model={self.model!r}, branch={self.branch!r})"

    def __str__(self) -> str:
        return "pending" if os.environ.get("LEPTON_LANG", "zh").lower().startswith("en") else "待定"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec.rstrip("dn"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PendingVersion) and other.key == self.key

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)

    def __bool__(self) -> bool:
        return True

    def to_dict(self) -> dict[str, Any]:
        """As a version's, with its key; number and digest are None."""
        return super().to_dict() | {"version": None, "digest": None, "key": self.key}

    def _number(self, *_: Any) -> Any:
        raise ValueError("the version is pending: it gets its number when `lepton sync` has delivered it")

    # an int's own methods would answer with a number that is none
    __int__ = __index__ = __float__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = _number
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __floordiv__ = __truediv__ = _number


def _pending(key: str, model: str, branch: str) -> PendingVersion:
    return PendingVersion(key, model=model, branch=branch)


def _version(
    number: int, model: str, digest: str, branch: str, parents: tuple[tuple[int | VersionRef, str], ...]
) -> Version:
    return Version(number, model=model, digest=digest, branch=branch, parents=parents)
