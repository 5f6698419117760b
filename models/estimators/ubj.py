"""Universal Binary JSON as XGBoost writes it, taken apart into its arrays of numbers and a skeleton around them.

In the skeleton, which is JSON, an object is an object and text is text; a list begins with its marker: `["[", …]` is a
list, `["i", 3]` a whole number of one byte, `["$", "d", REF]` an array.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

import numpy as np

from ...errors import Malformed
from .arrays import AnyArray, Path

Keep: TypeAlias = "Callable[[Path, AnyArray], Any]"
Give: TypeAlias = "Callable[[Any], AnyArray]"

_WHOLE: Final = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q"}
_REAL: Final = {"d": "f", "D": "d"}
_ARRAYS: Final = {"d": ">f4", "D": ">f8", "i": "i1", "U": "u1", "I": ">i2", "l": ">i4", "L": ">i8"}
_CONSTANTS: Final = {"T": True, "F": False, "Z": None}
_DEEPEST: Final = 64


class UbjReader:
    """Reads one value; each array of numbers is given away, and what `keep` returns stands for it."""

    def __init__(self, content: bytes, keep: Keep) -> None:
        self._content, self._keep, self._at = content, keep, 0

    def read(self) -> Any:
        """The skeleton of what was written. Raises `ValueError` where it is none of XGBoost's."""
        try:
            value = self._value((), self._marker())
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise ValueError(f"it ends in the middle ({error})") from error
        if self._at != len(self._content):
            raise ValueError("something follows behind it")
        return value

    def _taken(self, count: int) -> bytes:
        if not 0 <= count <= len(self._content) - self._at:
            raise ValueError("it is shorter than it says")
        self._at += count
        return self._content[self._at - count : self._at]

    def _marker(self) -> str:
        return self._taken(1).decode("latin-1")

    def _number(self, kind: str) -> Any:
        return struct.unpack(f">{kind}", self._taken(struct.calcsize(f">{kind}")))[0]

    def _count(self) -> int:
        return self._number(_WHOLE[marker]) if (marker := self._marker()) in _WHOLE else self._fail(marker)

    def _text(self) -> str:
        return self._taken(self._count()).decode()

    def _value(self, path: Path, marker: str) -> Any:
        if len(path) > _DEEPEST:
            raise ValueError("it is nested too deep")
        if marker == "{":
            return self._object(path)
        if marker == "[":
            return self._list(path)
        if marker == "S":
            return self._text()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _WHOLE:
            return [marker, self._number(_WHOLE[marker])]
        if marker in _REAL:
            return [marker, self._taken(struct.calcsize(_REAL[marker])).hex()]
        return self._fail(marker)

    def _object(self, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        while self._content[self._at : self._at + 1] != b"}":
            name = self._text()
            made[name] = self._value((*path, name), self._marker())
        self._at += 1
        return made

    def _list(self, path: Path) -> list[Any]:
        if (marker := self._marker()) == "$":
            kind = self._marker()
            if kind not in _ARRAYS or self._marker() != "#":
                self._fail(kind)
            dtype = np.dtype(_ARRAYS[kind])
            array = np.frombuffer(self._taken(self._count() * dtype.itemsize), dtype)
            return ["$", kind, self._keep(path, array.astype(dtype.newbyteorder("=")))]
        if marker != "#":
            self._fail(marker)
        return ["[", *(self._value((*path, place), self._marker()) for place in range(self._count()))]

    def _fail(self, marker: str) -> Any:
        raise ValueError(f"XGBoost writes no {marker!r} there")


def written(value: Any, give: Give) -> bytes:
    """What a skeleton stands for, each reference to an array given. Raises `Malformed` where it is none."""
    match value:
        case dict():
            held = cast("dict[str, Any]", value).items()
            return b"{" + b"".join(_named(name, written(each, give)) for name, each in held) + b"}"
        case str():
            return b"S" + _text(value)
        case None | True | False:
            return next(marker for marker, constant in _CONSTANTS.items() if constant is value).encode()
        case ["$", str(kind), ref] if kind in _ARRAYS:
            array = give(ref)
            return f"[${kind}#".encode() + _length(array.size) + array.astype(_ARRAYS[kind]).tobytes()
        case ["[", *items]:
            return b"[#" + _length(len(items)) + b"".join(written(item, give) for item in items)
        case [str(kind), int(number)] if kind in _WHOLE:
            return kind.encode() + _packed(_WHOLE[kind], number)
        case [str(kind), str(bits)] if kind in _REAL:
            return kind.encode() + bytes.fromhex(bits)
        case _:
            raise Malformed(f"{str(cast('object', value))[:80]} is no part of XGBoost's format; nothing was built")


def _named(name: str, content: bytes) -> bytes:
    return _text(name) + content


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _length(len(encoded)) + encoded


def _length(count: int) -> bytes:
    return b"L" + struct.pack(">q", count)


def _packed(kind: str, number: int) -> bytes:
    try:
        return struct.pack(f">{kind}", number)
    except struct.error as error:
        raise Malformed(f"{number} is no number of XGBoost's format; nothing was built") from error
