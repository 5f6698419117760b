"""Typed columns of rows to learn from: numbers, dates and categories, each with its missing values."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import DataWarning, Malformed
from .types import Kind

Schema: TypeAlias = Sequence[tuple[str, Kind]]
Label: TypeAlias = int | float | str

_HELD: Final[Mapping[Kind, str]] = {"number": "numbers", "category": "text", "date": "dates", "array": "arrays"}

MISSING = 0  # the hash of a missing category; a level's own 64 bits are 0 once in 2**64


@dataclass(frozen=True, eq=False)
class Column:
    """One named column: numbers as float64 with NaN for missing, or categories as places in `levels`, -1 for missing.

    A date is a number too: days since 1970-01-01 UTC. `levels` are the texts that occur, in the order of their UTF-8
    bytes, so equal content makes equal columns. Arrays are uint8 or float32, shape (rows, …), and none is missing.
    """

    name: str
    kind: Kind
    values: npt.NDArray[Any]
    levels: tuple[str, ...] = ()

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Which rows have no value, shape (rows,)."""
        if self.kind == "array":
            return np.zeros(len(self.values), np.bool_)
        return self.values < 0 if self.kind == "category" else np.isnan(self.values)

    @property
    def written_out(self) -> bool:
        """Whether it holds numbers, which would have to be written out to be text."""
        return self.kind == "number" and not bool(self.missing.all())

    def labels(self) -> list[Label]:
        """Each row's value as Python has it, whole numbers without a point; no value may be missing."""
        if self.kind == "category":
            return [self.levels[place] for place in self.values]
        return [int(number) if number.is_integer() else number for number in self.values.tolist()]

    def hashes(self) -> npt.NDArray[np.int64]:
        """Each row's level as 64 bits of its blake3, shape (rows,), or MISSING.

        Parameters can hold these and recognise a level without showing one.
        """
        import blake3

        digests = b"".join(blake3.blake3(level.encode()).digest(8) for level in self.levels)
        table = np.append(np.frombuffer(digests, dtype="<i8").astype(np.int64), MISSING)
        return table[self.values]  # -1, a missing value, takes the last

    def as_categories(self) -> Column:
        """The same column with its numbers written out; whole ones without a point, so that 1 and 1.0 are one level."""
        if self.kind == "category":
            return self
        if self.kind == "array":
            raise Malformed(f"column {self.name!r} holds arrays, which are no text; leave it out")
        texts = [None if number != number else _written(number) for number in self.values.tolist()]
        levels = tuple(sorted({text for text in texts if text is not None}))
        place = dict(zip(levels, range(len(levels)), strict=True))
        codes = np.array([-1 if text is None else place[text] for text in texts], np.int64)
        return Column(self.name, "category", codes, levels)

    def as_kind(self, kind: Kind) -> Column:
        """The same column as that kind. Raises `Malformed` for text or dates where numbers belong, or the reverse."""
        if kind == self.kind:
            return self
        if self.missing.all():
            nothing = np.full(len(self.values), -1) if kind == "category" else np.full(len(self.values), np.nan)
            return Column(self.name, kind, nothing)
        if kind == "category" and self.kind == "number":
            return self.as_categories()
        held, learnt = _HELD[self.kind], _HELD[kind]
        raise Malformed(f"column {self.name!r} holds {held} where the model learnt {learnt}; convert it")

    def canonical(self) -> bytes:
        """Bytes that equal content shares and other content does not: what version 1 of the fingerprint hashes."""
        used = np.unique(self.values[~self.missing]) if self.kind == "category" else np.empty(0, np.int64)
        levels = [self.levels[int(place)] for place in used]
        if self.kind == "array":
            body = self.values.astype("<f4").tobytes() + repr(self.values.shape[1:]).encode()
        elif self.kind != "category":
            # + 0.0 turns -0.0 into the 0.0 that it equals; every NaN becomes the same NaN.
            body = np.where(self.missing, np.nan, self.values + 0.0).astype("<f8").tobytes()
        else:
            body = np.where(self.missing, -1, np.searchsorted(used, self.values)).astype("<i8").tobytes()
        header = json.dumps([self.name, self.kind, len(self.values), levels], separators=(",", ":")).encode()
        return len(header).to_bytes(8, "little") + header + body


@dataclass(frozen=True, eq=False)
class Table:
    """Typed columns of one length, in the order given."""

    columns: tuple[Column, ...]
    rows: int

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def schema(self) -> tuple[tuple[str, Kind], ...]:
        """Each column's name and kind."""
        return tuple((column.name, column.kind) for column in self.columns)

    def take(self, rows: npt.NDArray[Any]) -> Table:
        """The rows at these places."""
        return Table(tuple(replace(column, values=column.values[rows]) for column in self.columns), len(rows))

    def aligned(self, schema: Schema) -> Table:
        """The columns in that order and of those kinds.

        Raises `Malformed` naming the columns that are lacking or unknown, or one that is text where numbers belong;
        warns, as `DataWarning`, of numbers where text belongs.
        """
        names = [name for name, _ in schema]
        known = set(names)
        lacking = [name for name in names if name not in self.by_name]
        unknown = [name for name in self.by_name if name not in known]
        faults = [f"{word} {_listed(some)}" for word, some in (("lacks", lacking), ("adds", unknown)) if some]
        if faults:
            raise Malformed(f"the data {' and '.join(faults)}; give exactly the columns that the model was trained on")
        numbers = [name for name, kind in schema if kind == "category" and self.by_name[name].written_out]
        if numbers:
            warnings.warn(
                f"{_listed(numbers)} holds numbers where the model learnt text; they are written out, and 01234 that "
                "was read as 1234 is another text: read it as text (in pandas dtype=str)",
                DataWarning,
                stacklevel=3,
            )
        return Table(tuple(self.by_name[name].as_kind(kind) for name, kind in schema), self.rows)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"column {', '.join(repr(name) for name in names[:5])}{more}"


def _written(number: float) -> str:
    return f"{number:.0f}" if number.is_integer() else repr(number)
