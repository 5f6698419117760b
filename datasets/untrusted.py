"""What runs in a process that reads files of strangers: an order a line, and what the file holds as the answer.

A table is written down anew, so that whoever reads it afterwards reads what Arrow wrote; text stays as it is.
"""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

from ..errors import LeptonError, Refused
from ..sent_errors import told
from .contents import contents
from .memory import within
from .read import SEPARATORS, as_it_stands, kind_of

_BESIDE: Final = 3
"""How often what a file unpacks to may stand in memory: as it is read, checked and written."""
_LIBRARIES: Final = 1 << 30
"""Bytes of address space that threads and buffers of libraries may take beside it."""


def main() -> None:
    """Answer orders until stdin ends: the file's `path`, where its table is written (`out`), what it may unpack to."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    idle = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if _tells() else None
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if idle is not None:
            most = idle + _BESIDE * int(order["unpacked"]) + _LIBRARIES
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
        try:
            answer = _answered(Path(order["path"]), Path(order["out"]), int(order["unpacked"]))
        except LeptonError as error:
            answer = told(error)
        except MemoryError:
            answer = told(Refused(f"{Path(order['path']).name} takes more memory than rows that are sent may have"))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answered(path: Path, out: Path, unpacked: int) -> dict[str, Any]:
    import pyarrow as pa

    address = path.as_uri()
    with within(unpacked):
        table = as_it_stands(address)
        count, columns = contents(table, guess=kind_of(address) in SEPARATORS)
        if kind_of(address) not in SEPARATORS:
            options: Any = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_file(out, table.schema, options=options) as writer:
                writer.write_table(table)
    return {"count": count, "columns": columns}


def _tells() -> bool:
    """Whether the system says what memory a process takes."""
    return os.access("/proc/self/statm", os.R_OK)
