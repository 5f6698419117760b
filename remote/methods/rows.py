"""Rows for a server to judge versions on: named data by their name, all other rows read here and sent."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from ...datasets import read
from ...datasets.pandas_index import index_columns
from ...datasets.selection import ALL, Selection
from ...domain.names import DATA_PREFIX
from ...errors import Malformed, Refused, UnknownRevision
from ...media import ARROW, ARROW_FILE, CSV, PARQUET

if TYPE_CHECKING:
    from ..client import Client

_MEDIA: Final = {
    ".csv": CSV,
    ".tsv": "text/tab-separated-values",
    ".parquet": PARQUET,
    ".arrows": ARROW,
    ".arrow": ARROW_FILE,
    ".feather": ARROW_FILE,
    ".pq": PARQUET,
}
"""What a file is sent as, by its ending."""
_PACKED: Final = {".gz": "gzip", ".zst": "zstd"}
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*(@\d+)?")


def rows_if_any(client: Client, data: Any, labels: Any) -> dict[str, Any]:
    """The fields of a request that say on which rows; none where there are none."""
    if data is None and labels is None:
        return {}
    return rows_asked(client, data, labels)


def rows_asked(client: Client, data: Any, labels: Any = None) -> dict[str, Any]:
    """The fields of a request that say on which rows: a name, or the id of rows that are sent by this."""
    if data is None:
        raise Malformed("labels are about data; give the data too, or none of it")
    if isinstance(data, str) and (name := named(client, data)) is not None:
        if labels is not None and not isinstance(labels, str):
            table, labels = load_named(client, name)[0], labels
            return sent(client, table, labels)
        return {"data": name} | ({} if labels is None else {"labels": labels})
    if labels is None:
        raise Malformed(
            "nobody said what the labels of the rows are",
            python="give labels, or of a file the name of its column of labels",
            cli="say which column holds them by --label",
        )
    return sent(client, data, labels)


def named(client: Client, data: str) -> str | None:
    """The name of named data that a text is, None where it is a file's path.

    As the local manager tells them apart: `data:NAME`, or NAME where no file is called so. Raises `Refused` where it is
    both.
    """
    if data.startswith(DATA_PREFIX):
        return data.removeprefix(DATA_PREFIX)
    if "://" in data or PurePath(data).name != data or not _NAME.fullmatch(data):
        return None
    is_file, maybe = Path(data).is_file(), not PurePath(data).suffix and not Path(data).exists()
    try:
        client.get(f"/data/{quote(data.partition('@')[0], safe='')}")
    except (UnknownRevision, Malformed):  # no such name, or nothing that could be one
        return data if maybe else None
    if is_file:
        raise Refused(f"{data!r} is named data and a file in this folder; write data:{data} or ./{data}")
    return data


def sent(
    client: Client, data: Any, labels: Any, chosen: Selection = ALL, beside: Mapping[str, Any] | None = None
) -> Any:
    """The id of rows that are sent, and their column of labels; `beside` are columns of values that go with them."""
    if isinstance(data, str | PathLike):
        path = fspath(cast("str", data))
        if (labels is None or isinstance(labels, str)) and not beside and (file := _file(path)) is not None:
            media, packed, content = file
            headers = {"Content-Type": media} | ({"Content-Encoding": packed} if packed else {})
            return _posted(client, content, headers) | ({} if labels is None else {"labels": labels})
        data = read.columns_beside(path, None)
        data = data.drop_columns([name for name in index_columns(data.schema) if name in data.column_names])
    from ...datasets.tables import labelled_table

    table, label = labelled_table(data, labels, chosen)
    for name, values in (beside or {}).items():
        table = table.append_column(name, [values])
    return _posted(client, _stream(table), {"Content-Type": ARROW}) | ({} if label is None else {"labels": label})


def load_named(client: Client, name: str) -> tuple[Any, Any]:
    """The rows of a name, and the column of labels."""
    import pyarrow as pa

    answer = client.request("GET", f"/data/{quote(name, safe='')}/rows", headers={"Accept": ARROW})
    table = pa.ipc.open_stream(answer.content).read_all()
    labels = client.read(f"/data/{quote(name, safe='')}").labels
    if labels is None:
        return table, None
    return table.drop_columns([labels.name]), table.column(labels.name)


def _posted(client: Client, content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    answer = client.request("POST", "/rows", content=content, headers=dict(headers))
    return {"rows": answer.json()["rows"]}


def _file(path: str) -> tuple[str, str | None, bytes] | None:
    """A local file's bytes and what they are, as they lie there; None for what another store holds."""
    if "://" in path and not path.startswith("file://"):
        return None
    place = Path(url2pathname(urlsplit(read.located(path)).path))
    suffixes = [suffix.lower() for suffix in place.suffixes] or [""]
    packed = _PACKED.get(suffixes[-1])
    media = _MEDIA.get(suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1])
    if media is None or (packed is None and suffixes[-1] in read.PACKED):
        return None
    with read.complaints(path):
        return media, packed, place.read_bytes()


def _stream(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
