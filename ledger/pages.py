"""Rows by key in pages of JSON: a page is parsed when the first of its rows is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from pydantic_core import from_json, to_json

ROWS: Final = 256
"""How many rows a page has, more or less."""


class Pages(Mapping[str, Any]):
    """Rows over the bytes that `packed` made of them."""

    def __init__(self, index: Mapping[str, Any], body: memoryview) -> None:
        self._index = index
        self._body = body
        self._parsed: dict[int, dict[str, Any]] = {}

    def __getitem__(self, key: str) -> Any:
        if (count := len(self._index["ends"])) == 0:
            raise KeyError(key)
        place = _place(key, count, numbered=self._index["numbered"])
        if not 0 <= place < count:
            raise KeyError(key)
        return self._page(place)[key]

    def __iter__(self) -> Iterator[str]:
        for place in range(len(self._index["ends"])):
            yield from self._page(place)

    def __len__(self) -> int:
        return self._index["count"]

    def _page(self, place: int) -> dict[str, Any]:
        if (page := self._parsed.get(place)) is None:
            ends = self._index["ends"]
            start = ends[place - 1] if place else self._index["start"]
            page = self._parsed[place] = from_json(bytes(self._body[start : ends[place]]))
        return page


def packed(rows: Mapping[str, Any], start: int, *, numbered: bool) -> tuple[dict[str, Any], list[bytes]]:
    """Rows as pages, with what finds them in bytes where they begin at `start`.

    Rows whose keys are numbers lie beside those of the next numbers: they are asked for together.
    """
    last = max(map(int, rows), default=0) if numbered else 0
    numbered = numbered and last <= 4 * len(rows)  # few of many numbers would leave most pages empty
    count = (last if numbered else len(rows)) // ROWS + bool(rows)
    pages: list[dict[str, Any]] = [{} for _ in range(count)]
    for key, row in rows.items():
        pages[_place(key, count, numbered=numbered)][key] = row
    blobs = [to_json(page, inf_nan_mode="constants") for page in pages]
    ends, end = list[int](), start
    for blob in blobs:
        ends.append(end := end + len(blob))
    return {"numbered": numbered, "count": len(rows), "start": start, "ends": ends}, blobs


def _place(key: str, count: int, *, numbered: bool) -> int:
    return int(key) // ROWS if numbered else crc32(key.encode()) % count
