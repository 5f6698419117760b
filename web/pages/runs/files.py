"""Files on the page of a run: pictures as a gallery at a step, short texts as they are, all of them as links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final
from urllib.parse import quote

from ....errors import Damaged, Malformed, Unavailable
from ....media import JSON, PICTURES
from ....results.figures import size
from ..page import Visit
from ..views import Row, rows

SHOWN: Final = 24
"""Pictures of a page."""
TEXTS: Final = 6
"""Texts that are read for a page."""
LISTED: Final = 100
"""Files of the table."""
_SHORT: Final = 16_384
"""Bytes of a text that is read for a page."""
_LETTERS: Final = 4_000
"""Characters of a text that are shown."""
_LINES: Final = 24
_FILES: Final = (
    "SELECT name, step, media_type, bytes, digest, recorded AS time FROM run_files WHERE run = ? "
    "ORDER BY name, step NULLS FIRST"
)
_STEP: Final = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a name as it stands at the page's step, and how many steps have one."""

    name: str
    step: int | None
    steps: int
    media_type: str
    bytes: int
    link: str
    digest: str

    @property
    def size(self) -> str:
        """Its size in words."""
        return size(self.bytes)


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text, and whether that is all of it."""

    file: ShownFile
    words: str
    whole: bool


@dataclass(frozen=True, slots=True)
class RunFilesShown:
    """What is shown of a run's files."""

    step: int | None
    """The step that is looked at; None for the last."""
    steps: Sequence[int]
    pictures: Sequence[ShownFile]
    texts: Sequence[ShownText]
    files: Sequence[ShownFile]
    unlisted: int
    """Files that are not in the table, since they are too many."""
    after: str | None
    """Behind which picture the next page begins."""
    count: int
    """Names there are."""
    told: Sequence[Row]

    @property
    def earlier(self) -> int | None:
        """The step before the one that is looked at."""
        return max((each for each in self.steps if self.at is not None and each < self.at), default=None)

    @property
    def later(self) -> int | None:
        """The step behind it."""
        return min((each for each in self.steps if self.at is not None and each > self.at), default=None)

    @property
    def at(self) -> int | None:
        """The step that is looked at, or the last."""
        return self.step if self.step is not None or not self.steps else self.steps[-1]


def files_shown(page: Visit, run: str) -> RunFilesShown:
    """The files of a run at the step that is asked for, or the last: of each name the newest one up to there."""
    step, told = _asked_step(page), [dict(row) for row in rows(page, _FILES, run)]
    named = [list(each) for _, each in groupby(told, key=lambda row: row["name"])]
    steps = sorted({row["step"] for row in told if row["step"] is not None})
    standing = [shown for each in named if (shown := _standing(page, run, each, step)) is not None]
    pictures, after = [each for each in standing if each.media_type in PICTURES], page.asked("after")
    following = [each for each in pictures if each.name > after]
    others = [each for each in standing if each.media_type not in PICTURES]
    return RunFilesShown(
        step=step,
        steps=steps,
        pictures=following[:SHOWN],
        texts=list(islice(_texts(page, standing), TEXTS)),
        files=others[:LISTED],
        unlisted=len(others[LISTED:]),
        after=following[SHOWN - 1].name if len(following) > SHOWN else None,
        count=len(named),
        told=[row | {"link": _link(page, run, row)} for row in told],
    )


def _asked_step(page: Visit) -> int | None:
    words = page.asked("step")
    if words and not _STEP.fullmatch(words):
        raise Malformed(f"{words[:40]!r} is no step; give a whole number")
    return int(words) if words else None


def _standing(page: Visit, run: str, named: Sequence[Row], step: int | None) -> ShownFile | None:
    """The file of a name that was logged at a step, or last before it; None where the first came later."""
    until = [row for row in named if step is None or row["step"] is None or row["step"] <= step]
    if not until:
        return None
    row, name = until[-1], named[0]["name"]
    return ShownFile(
        name, row["step"], len(named), row["media_type"], row["bytes"], _link(page, run, row), row["digest"]
    )


def _texts(page: Visit, files: Sequence[ShownFile]) -> Iterator[ShownText]:
    """Those that are text and short, read."""
    for file in files:
        if file.bytes > _SHORT or not _is_text(file.media_type):
            continue
        try:
            words = page.manager.transfer.file(file.digest).decode()
        except UnicodeDecodeError:
            continue
        except (Damaged, Unavailable) as error:  # the rest of the page is shown
            words = error.fact
        beginning = "".join(words[:_LETTERS].splitlines(keepends=True)[:_LINES])
        yield ShownText(file, beginning, beginning == words)


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type in (JSON, "application/jsonl", "application/yaml")


def _link(page: Visit, run: str, row: Row) -> str:
    """Where the API sends a file; of a digest, which never changes, so that a browser keeps it."""
    name, digest = quote(row["name"], safe=""), quote(row["digest"], safe="")
    then = "" if page.at is None else f"&at={quote(page.at, safe='')}"
    return f"/api/v1/runs/{quote(run, safe='')}/files/{name}?digest={digest}{then}"
