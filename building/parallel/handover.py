"""What processes that learn together are given, and give back: rows by Arrow and tensors by safetensors in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor

from ...datasets.selection import Selection
from ...datasets.tables import labelled_table

DONE: Final = "done"
STATE: Final = "state"


def write_rows(path: Path, rows: Any) -> None:
    """Write columns as they are; what reads them reads the same."""
    import pyarrow as pa

    table = labelled_table(rows, None, Selection())[0]
    with cast("Any", pa).OSFile(str(path), "wb") as sink, cast("Any", pa).ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)


def write_labels(path: Path, labels: Any) -> None:
    """Write one label a row."""
    named = isinstance(labels, Mapping) or hasattr(labels, "column_names") or getattr(labels, "ndim", 1) != 1
    write_rows(path, cast("Any", labels) if named else labelled_table({}, labels, Selection())[0])


def read_rows(path: Path) -> Any:
    """An Arrow table over the file's own memory, which all processes share."""
    import pyarrow as pa

    return cast("Any", pa).ipc.open_stream(cast("Any", pa).memory_map(str(path))).read_all()


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, each by itself."""
    part = path.with_suffix(".part")
    save_file({name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, part)
    part.replace(path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, on the CPU."""
    return load_file(path)
