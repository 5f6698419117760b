"""`checkout`: a version in a folder that is read without Lepton, and taken back as the version that it was."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rfc8785
import torch
from safetensors.torch import load_file, save_file

from lepton_ai import ModelManager
from lepton_ai.errors import Refused
from lepton_ai.versions.export.checkout import read

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def ran(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        (sys.executable, "-c", script), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def bits(tensor: torch.Tensor) -> list[int]:
    return tensor.contiguous().reshape(-1).view(torch.uint8).tolist()


def tensors(manager: ModelManager, rev: str) -> dict[str, torch.Tensor]:
    return manager.load_tensors(rev)


def test_the_readme_loads_it_without_lepton_and_with_it(cli: Cli, tmp_path: Path) -> None:
    assert cli("checkout credit@4 out").out == "version 4 of credit is in out: model.safetensors, recipe.json\n"

    plain, with_lepton = blocks(tmp_path / "out" / "README.md")
    seen = "\nprint(sorted(tensors), recipe['digest'])"
    without = "import sys\nsys.modules['lepton_ai'] = None\n"
    with ModelManager(cli.home) as manager:
        own, digest = tensors(manager, "credit@4"), manager.show("credit@4").version.digest
    for framework in ("torch", "numpy"):
        script = plain.replace("safetensors.torch", f"safetensors.{framework}")
        assert ran(without + script + seen, tmp_path / "out") == f"{sorted(own)} {digest}\n"
    loaded = ran(with_lepton + "\nprint(type(model).__name__)", tmp_path, LEPTON_HOME=str(cli.home))
    assert loaded == "CreditScoringModel\n"
    read = load_file(tmp_path / "out" / "model.safetensors")
    assert all(torch.equal(read[name], each) for name, each in own.items())


def test_the_recipe_alone_proves_the_digest(cli: Cli, tmp_path: Path) -> None:
    """SHA-256 over RFC 8785 JSON, as docs/values.md has it: whoever has the folder needs no Lepton to hold it."""
    cli("checkout credit@5 out")  # a merge, of two parents

    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())

    def digest(value: Any) -> str:
        return f"sha256:{hashlib.sha256(rfc8785.dumps(value)).hexdigest()}"

    made = {name: recipe[name] for name in ("architecture", "data", "derivation", "hyperparameters", "settings")}
    parents = [[parent["digest"], parent["role"]] for parent in recipe["parents"]]
    assert len(parents) == 2
    assert digest({"manifest": recipe["tensors"], "parents": parents, "recipe": digest(made)}) == recipe["digest"]
    assert recipe["provenance"]["message"] == "take the faster steps in"
    assert {"environment", "code"} <= recipe.keys()


def test_every_dtype_that_the_format_knows_comes_back_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cli, shared = Cli(tmp_path / "home"), torch.randn(3, 2)
    kept = {
        "tied.b": shared, "tied.a": shared, "flag": torch.tensor([True, False, True]), "half": torch.randn(5).half(),
        "bf": torch.randn(7).bfloat16(), "f8": torch.randn(3).to(torch.float8_e4m3fn), "none": torch.empty(0, 4),
        "scalar": torch.tensor(2.5, dtype=torch.float64), "long": torch.arange(4), "c": torch.randn(2) * 1j,
        "nan": torch.tensor([float("nan"), -0.0]),
    }  # fmt: skip
    with ModelManager(cli.home) as manager:
        first = manager.save_version(kept, name="net", files={"notes/read.txt": b"me"}, hyperparameters={"lr": 0.1})

    assert cli("checkout net out").out.endswith("recipe.json, 1 file in files\n")

    read = load_file("out/model.safetensors")
    for name, each in kept.items():
        assert (read[name].dtype, read[name].shape) == (each.dtype, each.shape)
        assert bits(read[name]) == bits(each)
    assert Path("out/files/notes/read.txt").read_bytes() == b"me"
    assert cli("save out").out == "net on main holds that already, as version 1\n", (
        "what equals the head is no new version"
    )
    other = Cli(tmp_path / "other")
    assert other("save out --json").json["digest"] == first.digest
    with ModelManager(other.home) as manager:
        assert manager.files("net@1") == {"notes/read.txt": b"me"}
        back = manager.load_tensors("net@1")
        assert back["tied.a"] is back["tied.b"]


def test_a_model_that_was_taken_back_is_the_model(cli: Cli, tmp_path: Path) -> None:
    cli("checkout credit@4 out")
    other = Cli(tmp_path / "other")

    assert other("save out --model copy").out == "copy on main has version 1\n"

    assert other("predict copy@1 loans.csv").out == cli("predict credit@4 loans.csv").out


def test_a_folder_that_holds_something_is_left_alone_unless_it_is_said(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")

    refused = cli("checkout credit@1 out")

    assert (refused.code, [path.name for path in out.iterdir()]) == (1, ["mine.txt"])
    assert "out holds something already; name another folder, or replace a checkout in it with --force" in refused.err
    assert cli("checkout credit@1 out --force").code == 0
    assert cli("checkout credit@2 out --force --json").json["tensors"] > 0
    assert {path.name for path in out.iterdir()} == {"README.md", "mine.txt", "model.safetensors", "recipe.json"}
    assert json.loads((out / "recipe.json").read_text())["version"] == 2
    (tmp_path / "empty").mkdir()
    assert cli("checkout credit@1 empty").code == 0


def test_what_cannot_be_whole_is_not_there(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelManager(cli.home, actor="ada") as manager:
        manager.save_version({"w": np.ones(2, np.complex128)}, name="wide")
    before = sorted(tmp_path.iterdir())

    wide = cli("checkout wide@1 out")
    nowhere = cli("checkout credit@1 no/where")

    assert "tensor 'w' is of dtype complex128, which no safetensors file holds; take it from Python" in wide.err
    assert "no/where cannot be written" in nowhere.err
    assert (wide.code, nowhere.code, sorted(tmp_path.iterdir())) == (1, 1, before)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (None, "out has no recipe.json, so it is no checkout; name a safetensors file in it"),
        ("{", "recipe.json cannot be read"),
        ("[]", "recipe.json cannot be read (its format is not lepton.checkout.v1)"),
        ('{"format": "lepton.checkout.v1"}', "recipe.json cannot be read"),
    ],
)
def test_a_folder_that_is_no_checkout_is_not_saved(recipe: str | None, sentence: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    if recipe is not None:
        (tmp_path / "out" / "recipe.json").write_text(recipe)

    ended = cli("save out")

    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert sentence in ended.err


@pytest.fixture
def noted(tmp_path: Path) -> ModelManager:
    """Two versions with files of their own, of two tied tensors."""
    manager, shared = ModelManager(tmp_path / "home", actor="ada"), torch.tensor([1.0, float("nan")])
    for name in ("one", "two"):
        manager.save_version({"x": shared, "y": shared}, name="net", files={f"notes/{name}.txt": name.encode()})
    return manager


def test_files_that_another_checkout_left_are_not_taken_back(noted: ModelManager, tmp_path: Path) -> None:
    out = tmp_path / "out"
    noted.checkout("net@1", out)
    noted.checkout("net@2", out, force=True)

    assert (out / "files/notes/one.txt").is_file(), "what is not replaced stays"
    assert read(out).files == {"notes/two.txt": out / "files/notes/two.txt"}


def test_a_recipe_that_lists_no_files_takes_them_all(noted: ModelManager, tmp_path: Path) -> None:
    noted.checkout("net@1", out := tmp_path / "out")
    recipe = json.loads((out / "recipe.json").read_text())
    del recipe["files"]
    (out / "recipe.json").write_text(json.dumps(recipe))

    assert list(read(out).files) == ["notes/one.txt"]


def test_a_file_that_is_missing_or_another_is_refused(noted: ModelManager, tmp_path: Path) -> None:
    noted.checkout("net@1", out := tmp_path / "out")

    (out / "files/notes/one.txt").write_text("eno")
    with pytest.raises(Refused, match=r"has another 'notes/one.txt' than recipe.json lists; check the version out"):
        read(out)
    (out / "files/notes/one.txt").unlink()
    with pytest.raises(Refused, match=r"has no 'notes/one.txt', which recipe.json lists; check the version out anew"):
        read(out)


@pytest.mark.parametrize("link", ["files/leak", "files/notes/one.txt"])
def test_a_link_is_not_taken_for_a_file(link: str, noted: ModelManager, tmp_path: Path) -> None:
    noted.checkout("net@1", out := tmp_path / "out")
    (tmp_path / "secret").write_text("one")
    (out / link).unlink(missing_ok=True)
    (out / link).symlink_to(tmp_path / "secret")

    with pytest.raises(Refused, match=rf"{link} in .*out is a link, and Lepton follows none there; remove it"):
        read(out)


@pytest.mark.parametrize("link", ["files", "files/notes"])
def test_nothing_is_written_through_a_link(link: str, noted: ModelManager, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(elsewhere)

    with pytest.raises(Refused, match=rf"{link} in .*out is a link"):
        noted.checkout("net@1", out, force=True)

    assert not [*elsewhere.iterdir()]


def test_a_tied_tensor_that_was_edited_is_not_lost_in_silence(noted: ModelManager, tmp_path: Path) -> None:
    noted.checkout("net@1", out := tmp_path / "out")
    tensors = read(out).tensors
    assert tensors["y"] is tensors["x"], "alike to the bit, whatever the bits"
    save_file({"x": torch.ones(2), "y": torch.zeros(2)}, out / "model.safetensors")

    with pytest.raises(Refused, match=r"'y' is tied to 'x' in .*recipe.json, and differs from it in model.safetensors"):
        read(out)
