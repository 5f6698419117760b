"""What processes that learn together are given, and give back: rows by Arrow and tensors by safetensors in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from safetensors.torch import load, load_file, save, save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor

from ...datasets.selection import Selection
from ...datasets.tables import labelled_table

if TYPE_CHECKING:
    from typing_extensions import Buffer

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


def read_rows(place: Path | Buffer) -> Any:
    """An Arrow table over the own memory of a file, which all processes share, or of its bytes."""
    import pyarrow as pa

    arrow = cast("Any", pa)
    source = arrow.memory_map(str(place)) if isinstance(place, Path) else arrow.py_buffer(place)
    return arrow.ipc.open_stream(source).read_all()


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, each by itself."""
    part = path.with_suffix(".part")
    save_file(_apart(tensors), part)
    part.replace(path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, on the CPU."""
    return load_file(path)


def packed(tensors: Mapping[str, Tensor]) -> bytes:
    """The bytes of such a file."""
    return save(_apart(tensors))


def unpacked(data: bytes) -> dict[str, Tensor]:
    """The tensors of such bytes, on the CPU."""
    return load(data)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the CPU that share no memory."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
