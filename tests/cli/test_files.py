"""Safetensors files become versions, and versions safetensors files, without a change of a bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lepton_ai import ModelManager

from ..cli_home import Cli


def test_what_is_saved_from_a_file_is_exported_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli, tensors = Cli(tmp_path / "home"), {"w": torch.randn(3, 4), "b": torch.randn(4).to(torch.bfloat16)}
    save_file(tensors, "net.safetensors")

    assert cli("save net.safetensors --model net -m first").out == "net on main has version 1\n"
    assert cli("export -o out.safetensors").out == "2 tensors of version 1 of net in out.safetensors\n"
    exported = load_file("out.safetensors")
    assert exported.keys() == tensors.keys()
    assert all(
        torch.equal(exported[name], each) and exported[name].dtype == each.dtype for name, each in tensors.items()
    )
    assert cli("save out.safetensors --model net --json").json["version"] == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("save nope.safetensors --model net", "there is no file 'nope.safetensors'; give a safetensors file"),
        ("save text.safetensors --model net", "text.safetensors cannot be read as safetensors"),
        ("save . --model net", "has no recipe.json, so it is no checkout; name a safetensors file in it"),
        ("export net@1 -o no/where.safetensors", "no/where.safetensors cannot be written"),
        ("export wide -o out.safetensors", "tensor 'w' is of dtype complex128, which no safetensors file holds"),
        ("export net -o .", "is no file; name one"),
        ("export net -o /", "is no file; name one"),
        ("export net@9 -o out.safetensors", "net has no version 9; `lepton log net` lists them"),
    ],
)
def test_what_is_no_file_or_place_is_refused(
    line: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_file({"w": torch.ones(1)}, "net.safetensors")
    Path("text.safetensors").write_text("no tensors")
    cli = Cli(tmp_path / "home")
    cli("save net.safetensors --model net")
    with ModelManager(cli.home) as manager:
        manager.save_version({"w": np.ones(1, np.complex128)}, name="wide")

    ended = cli(line)

    assert ended.code in (1, 3)
    assert sentence in ended.err
    assert ended.err.count("\n") == 1
    assert not list(tmp_path.glob(".*.part"))
