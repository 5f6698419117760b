"""What a run may keep as a file: files, bytes, figures, pictures, arrays, tables and charts, as bytes by a name."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the libraries whose objects are taken are not needed here)

from __future__ import annotations

import json
import os
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, NamedTuple, cast

from ...domain.names import checked_file
from ...errors import Malformed, Refused
from ...plain import in_json, plain_value, words_of

MOST_FILES: Final = 500
"""Files that are logged at a time."""
_MOST: Final = 256 << 20
_FIGURES: Final = ("png", "svg", "pdf", "jpg", "jpeg", "webp")
_PICTURES: Final = ("png", "jpg", "jpeg", "gif", "webp")


class RunFile(NamedTuple):
    """A file of a run: its name, its bytes or where they lie, and the step that it belongs to."""

    name: str
    content: Path | bytes
    step: int | None = None


def run_file(name: Any, what: Any, step: int | None) -> RunFile:
    """A file as a run is given it. Raises `Malformed` where the name is none, or this is nothing of such a name."""
    if not isinstance(name, str):
        raise Malformed(f"a file's name is {words_of(name)}; give a text, such as figures/confusion.png")
    content = _content(checked_file(name), what)
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    check_size(name, size)
    return RunFile(name, content, step)


def run_files(named: Any, step: int | None) -> tuple[RunFile, ...]:
    """Files as a run is given them by their names; `Malformed` where there are more than are kept at a time."""
    if not isinstance(named, Mapping):
        raise Malformed(f"files are {words_of(named)}; give a mapping of names to what they hold")
    check_count(len(cast("Mapping[Any, Any]", named)))
    return tuple(run_file(name, what, step) for name, what in cast("Mapping[Any, Any]", named).items())


def check_count(count: int) -> None:
    """Raise `Malformed` where these are none, or more than are kept at a time."""
    if not 0 < count <= MOST_FILES:
        raise Malformed(f"{count:,} files at a time; log 1 to {MOST_FILES:,}")


def check_size(name: str, size: int) -> None:
    """Raise `Refused` where a file is larger than LEPTON_FILE_BYTES."""
    if size > (most := largest()):
        raise Refused(
            f"{name!r} has {size:,} bytes, a run's file at most {most:,}; keep less, or set LEPTON_FILE_BYTES higher"
        )


def largest() -> int:
    """Bytes that one file of a run may have."""
    words = os.environ.get("LEPTON_FILE_BYTES", "") or str(_MOST)
    if not words.isdecimal():
        raise Malformed(f"LEPTON_FILE_BYTES is a whole number of bytes, not {words[:40]!r}")
    return int(words)


def _content(name: str, what: Any) -> Path | bytes:
    if isinstance(what, bytes | bytearray | memoryview):
        return bytes(what)
    if isinstance(what, str | os.PathLike):
        return _path(name, Path(what))
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    writer = _writer(name, ending, what)
    try:
        return writer()
    except (Malformed, Refused):
        raise
    except Exception as error:
        raise Malformed(
            f"{name!r} cannot be made of {words_of(what)} ({type(error).__name__}: {error}); give its bytes"
        ) from error


def _path(name: str, path: Path) -> Path:
    """A regular file that can be read."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        raise Malformed(f"there is no file to keep as {name!r}; give a path, or keep a text by log_text") from None
    if not S_ISREG(mode):
        raise Malformed(f"what is to be kept as {name!r} is a folder, or no plain file; keep its files one by one")
    if not os.access(path, os.R_OK):
        raise Malformed(f"the file to keep as {name!r} may not be read; see to its permissions")
    return path


def _writer(name: str, ending: str, what: Any) -> Callable[[], bytes]:
    """What writes an object in the form that the name's ending asks for."""
    if callable(getattr(what, "savefig", None)):
        return _by_ending(name, what, ending, {each: lambda: _written(what.savefig, ending) for each in _FIGURES})
    if _is_of("PIL.Image", "Image", what):
        return _by_ending(name, what, ending, {each: lambda: _picture(what, ending) for each in _PICTURES})
    if _is_of("numpy", "ndarray", what):
        return _by_ending(name, what, ending, {"png": lambda: _png(name, what)})
    if hasattr(what, "__arrow_c_stream__"):
        return _by_ending(name, what, ending, {"parquet": lambda: _parquet(what), "csv": lambda: _csv(what)})
    if isinstance(what, dict | list | tuple):
        return _by_ending(name, what, ending, {"json": lambda: _json(name, what)})
    charts = {"html": "to_html", "json": "to_json"}
    known = {each: getattr(what, method) for each, method in charts.items() if callable(getattr(what, method, None))}
    if known:
        return _by_ending(name, what, ending, {each: lambda act=act: act().encode() for each, act in known.items()})
    raise Malformed(
        f"{name!r} is {words_of(what)}, which no file is made of; give a path, bytes, a figure, a picture, an array of "
        "uint8 or a table"
    )


def _by_ending(name: str, what: Any, ending: str, writers: Mapping[str, Callable[[], bytes]]) -> Callable[[], bytes]:
    if ending not in writers:
        endings = ", ".join(f".{each}" for each in writers)
        raise Malformed(f"{name!r} does not say how {words_of(what)} is written; end the name in {endings}")
    return writers[ending]


def _is_of(module: str, kind: str, what: Any) -> bool:
    """Whether an object is of a library's class, without importing it: whoever made the object has."""
    known = getattr(sys.modules.get(module), kind, None)
    return known is not None and isinstance(what, known)


def _written(write: Callable[..., Any], ending: str) -> bytes:
    file = BytesIO()
    write(file, format=ending)
    return file.getvalue()


def _picture(image: Any, ending: str) -> bytes:
    return _written(image.save, "JPEG" if ending == "jpg" else ending)


def _png(name: str, pixels: Any) -> bytes:
    """Pixels as PNG (W3C PNG, third edition): grey, RGB or RGBA of 8 bits, rows unfiltered."""
    colours = {2: 0, (3, 3): 2, (3, 4): 6}
    shape = pixels.shape
    colour = colours.get(2 if len(shape) == 2 else (len(shape), shape[-1] if shape else 0))
    if pixels.dtype != "uint8" or colour is None or 0 in shape:
        raise Malformed(
            f"{name!r} is an array of {pixels.dtype} of shape {shape}; a picture is uint8, height × width, or with 3 "
            "or 4 channels behind"
        )
    height, width = shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = (_part(b"IHDR", head), _part(b"IDAT", zlib.compress(rows)), _part(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _parquet(table: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = BytesIO()
    pq.write_table(pa.table(table), file)
    return file.getvalue()


def _csv(table: Any) -> bytes:
    import pyarrow as pa
    from pyarrow import csv

    file = BytesIO()
    csv.write_csv(pa.table(table), file)
    return file.getvalue()


def _json(name: str, value: Any) -> bytes:
    return json.dumps(in_json(plain_value(value, name)), ensure_ascii=False, indent=1).encode()
