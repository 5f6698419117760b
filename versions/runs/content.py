"""Objects of libraries as the bytes of a file: each sort is written in the form that the file's name ends in."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the libraries whose objects are taken are not needed here)

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final, NamedTuple

from ...errors import Malformed, Refused
from ...plain import in_json, plain_value, words_of

_CHANNELS: Final = ((), (3,), (4,))
"""What may stand behind height and width."""


class ObjectForm(NamedTuple):
    """A sort of object, known by what it can do; the endings of names that it may have, and what writes it."""

    fits: Callable[[Any], bool]
    endings: tuple[str, ...]
    write: Callable[[Any, str], bytes]


def content_of(name: str, what: Any) -> bytes:
    """The bytes of an object. Raises `Malformed` where it is of no sort that is known, or not by such a name."""
    if isinstance(what, bytes | bytearray | memoryview):
        return bytes(what)
    form = next((each for each in _FORMS if each.fits(what)), None)
    if form is None:
        raise Malformed(
            f"{name!r} is {words_of(what)}, which no file is made of; give a path, bytes, a figure, a picture, an "
            "array of uint8 or a table"
        )
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in form.endings:
        endings = ", ".join(f".{each}" for each in form.endings)
        raise Malformed(f"{name!r} does not say how {words_of(what)} is written; end the name in {endings}")
    try:
        return form.write(what, ending)
    except (Malformed, Refused):
        raise
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
        raise Malformed(f"{name!r} cannot be made of {words_of(what)} ({fault}); give its bytes") from error


def _figure(figure: Any, ending: str) -> bytes:
    file = BytesIO()
    figure.savefig(file, format=ending)
    return file.getvalue()


def _picture(image: Any, ending: str) -> bytes:
    file = BytesIO()
    image.save(file, format="jpeg" if ending == "jpg" else ending)
    return file.getvalue()


def _pixels(pixels: Any, ending: str) -> bytes:
    """Pixels as a picture of 8 bits: grey, RGB or RGBA."""
    shape: tuple[int, ...] = pixels.shape
    if pixels.dtype != "uint8" or shape[2:] not in _CHANNELS or len(shape) < 2 or 0 in shape:
        raise Malformed(
            f"a picture is an array of uint8, height × width, or with 3 or 4 channels behind, not one of "
            f"{pixels.dtype} of shape {shape}; convert it first"
        )
    try:
        from PIL import Image
    except ImportError as error:
        raise Refused("arrays become pictures by pillow: pip install 'lepton-ai-sdk[build]'") from error
    return _picture(Image.fromarray(pixels), ending)


def _table(table: Any, ending: str) -> bytes:
    import pyarrow as pa

    file = BytesIO()
    if ending == "csv":
        from pyarrow import csv

        csv.write_csv(pa.table(table), file)
    else:
        import pyarrow.parquet as pq

        pq.write_table(pa.table(table), file)
    return file.getvalue()


def _json(value: Any, ending: str) -> bytes:
    del ending
    return json.dumps(in_json(plain_value(value, "the file")), ensure_ascii=False, indent=1).encode()


def _chart(chart: Any, ending: str) -> bytes:
    return (chart.to_html() if ending == "html" else chart.to_json()).encode()


def _is_of(module: str, kind: str) -> Callable[[Any], bool]:
    """Whether an object is of a library's class, without importing it: whoever made the object has."""

    def fits(what: Any) -> bool:
        known = getattr(sys.modules.get(module), kind, None)
        return known is not None and isinstance(what, known)

    return fits


def _is_plain(what: Any) -> bool:
    return isinstance(what, dict | list | tuple)


def _can(*methods: str) -> Callable[[Any], bool]:
    return lambda what: all(callable(getattr(what, each, None)) for each in methods)


_FORMS: Final = (
    ObjectForm(_can("savefig"), ("png", "svg", "pdf", "jpg", "jpeg", "webp"), _figure),
    ObjectForm(_is_of("PIL.Image", "Image"), ("png", "jpg", "jpeg", "gif", "webp"), _picture),
    ObjectForm(_is_of("numpy", "ndarray"), ("png", "gif", "webp"), _pixels),
    ObjectForm(_can("__arrow_c_stream__"), ("parquet", "csv"), _table),
    ObjectForm(_is_plain, ("json",), _json),
    ObjectForm(_can("to_html", "to_json"), ("html", "json"), _chart),
)
