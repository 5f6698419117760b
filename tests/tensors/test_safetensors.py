"""Files of safetensors, as torch writes them, read without torch: every bit of every dtype, or a sentence."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from lepton_ai.errors import Malformed
from lepton_ai.models.state import tensors_of
from lepton_ai.tensors.safetensors_file import tensors_in
from lepton_ai.tensors.tensor import KINDS

DTYPES = [name for name in KINDS if hasattr(torch, name) and name not in ("complex32", "bcomplex32", "complex128")]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tensor_is_read_as_torch_wrote_it(tmp_path: Path, dtype: str) -> None:
    bits = torch.arange(3 * 64, dtype=torch.uint8) % (2 if dtype == "bool" else 251)
    some = bits.view(getattr(torch, dtype)).reshape(3, -1)
    written = {"some": some, "none": some[:0].clone()}
    path = tmp_path / "m.safetensors"
    path.write_bytes(save(written, metadata={"format": "pt"}))

    found = tensors_in(str(path))

    kept = tensors_of(written)
    assert {name: (each.dtype, each.shape, each.raw().tobytes()) for name, each in found.items()} == {
        name: (each.dtype, each.shape, each.raw().tobytes()) for name, each in kept.items()
    }


def _file(header: Any, body: bytes) -> bytes:
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "cannot be read as safetensors"),
        (b"\x80\x04K\x01.", "cannot be read as safetensors"),
        (struct.pack("<Q", 1 << 60) + b"{}", "cannot be read as safetensors"),
        (_file({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}, bytes(8)), "cannot be read as"),
        (_file({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(8)), "cannot be read as"),
        (
            _file(
                {
                    "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                    "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]},
                },
                bytes(6),
            ),
            "cannot be read as safetensors",
        ),
        (_file({"a": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}}, bytes(3)), "'a' is of dtype F6_E2M3"),
        (_file({"a": ["F32", [1], [0, 4]]}, bytes(4)), "describes 'a' by a list"),
        (_file({"a": {"dtype": "PICKLE", "shape": [4], "data_offsets": [0, 3]}}, bytes(3)), "cannot be read as"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)

    with pytest.raises(Malformed, match=complaint):
        tensors_in(str(path))


def test_it_is_read_where_torch_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(save({"w": torch.ones(3, dtype=torch.bfloat16)}))
    program = (
        "import sys; sys.modules['torch'] = None; from lepton_ai.tensors.safetensors_file import tensors_in; "
        f"print(tensors_in({str(path)!r})['w'].raw().tobytes().hex())"
    )

    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert said.stdout.strip() == "803f" * 3
