"""docs/cli.md is what the commands say, its examples run, and what they print has the shape it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from safetensors.numpy import save_file

from lepton_ai import ModelManager, Stale
from lepton_ai.cli.app import SECTIONS, lepton
from lepton_ai.cli.command import DocumentedCommand
from lepton_ai.cli.reference import reference
from lepton_ai.domain.commands import StartRun
from lepton_ai.domain.studies.commands import CreateStudy
from lepton_ai.evidence.keys import make_key

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def commands() -> dict[str, DocumentedCommand]:
    with click.Context(lepton) as root:
        found = {name: lepton.get_command(root, name) for name in lepton.list_commands(root)}
    return {name: command for name, command in found.items() if command}


WITH_BROKER = {"relay", "restore", "intake", "projector", "serve", "demo"}
"""What needs a Kafka, or runs until it is stopped: test_running.py, test_demo.py, tests/web/test_process.py run it."""

EXAMPLES = [
    (name, example)
    for name, command in commands().items()
    for example in command.examples
    if name not in WITH_BROKER and "kafka" not in example
]

CHAIN = """
[steps.train]
kind = "train"
class = "credit-scoring-model"
model = "credit"
data = "loans.csv"
label = "default"
hyperparameters = { epochs = 1, members = 1, hidden = [4] }

[steps.tag]
kind = "tag"
version = "step:train"
tag = "chained"
"""

KEPT = "3f9c2ab41d70"
"""What the examples call a save that was refused."""

WITH_JSON = [
    (name, example)
    for name, example in EXAMPLES
    if ("--format" not in example or "-o" in example) and "--devices" not in example
]
"""All but the one that fills stdout itself, and the training by several processes, whose answer is any training's."""


def words_of(example: str, cli: Cli) -> list[str]:
    """An example's words, once what it is about is there: a run, or a save that was refused."""
    with ModelManager(cli.home, actor="ada") as manager:
        if example.startswith("lepton runs"):
            manager._workspace.admit(StartRun(run="0190a7e2-7c1d-7f7e-9f0a-3d2f5a6b7c8d", model="credit"), None)
        if example.startswith("lepton runs files"):
            with manager.resume("0190a7e2") as run:
                run.log_file("figures/confusion.png", np.zeros((2, 2), np.uint8))
        if example.startswith("lepton chain"):
            Path("credit.toml").write_text(CHAIN)
        if example.startswith("lepton chains"):
            manager.chain("credit.toml")
        if example.startswith("lepton studies"):
            search = {"metrics": ["f1"], "space": {"epochs": {"choices": [1, 2]}}}
            name = "credit-scoring-model"
            manager._workspace.admit(
                CreateStudy(study=name, directions=("maximize",), model=name, search=search), "study"
            )
        if "space.toml" in example:
            Path("space.toml").write_text("epochs = [1, 2]\nlearning_rate = true\n")
        if example.startswith("lepton report"):
            for version in {manager.show(f"credit@{rev}").version for rev in ("main", "production")}:
                manager.evaluate(f"credit@{version}", "loans.csv", "default", name="holdout", draws=20)
        if example.startswith("lepton save"):
            save_file({"w": np.ones(3, np.float32)}, "net.safetensors")
        if re.search(r"--key ledger\.key|--against|--since|verify proof", example):
            key = str(make_key(Path("ledger.key"), "example.org/ledger"))
            manager.sign_head("head" if "-o head" not in example else None, key_file="ledger.key")
            manager.prove(1, "proof.json", key_file="ledger.key", verifier=key)
        if "later.csv" in example:
            head, *rows = Path("loans.csv").read_text().splitlines()
            Path("later.csv").write_text("\n".join([head, *reversed(rows), ""]))
        if KEPT in example:
            with pytest.raises(Stale) as stale:
                manager.save_version({"w": np.ones(3)}, name="credit", parents=[1])
            example = example.replace(KEPT, str(stale.value.kept))
    return shlex.split(example)


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text() == reference(), "write it anew: python -m lepton_ai.cli.reference > docs/cli.md"


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_on_the_page_and_explained(name: str) -> None:
    command, page = commands()[name], PAGE.read_text()
    part = page.partition(f"### `lepton {name}")[2].partition("\n### ")[0]

    assert command.help
    assert part, f"lepton {name} is not on the page"
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, f"{param.opts} says nothing"
            assert any(option in part + page.partition("## What happened")[0] for option in param.opts), param.opts
        else:
            assert re.search("[A-Z]+", param.human_readable_name)[0] in part


def test_the_help_lists_every_command() -> None:
    shown = Cli(Path("unused"))("--help").out

    assert all(re.search(rf"^  {name} ", shown, re.MULTILINE) for _, names in SECTIONS.values() for name in names)


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_does_what_it_says(name: str, example: str, cli: Cli) -> None:
    words = words_of(example, cli)
    assert words[:2] == ["lepton", name]

    ended = cli(words[1:])

    assert (ended.code, ended.err) == (0, "")
    assert ended.out


@pytest.mark.parametrize(("name", "example"), WITH_JSON, ids=[example for _, example in WITH_JSON])
def test_with_json_it_prints_one_object_of_the_shape_shown(name: str, example: str, cli: Cli) -> None:
    words = [word for word in words_of(example, cli) if word != "--json"]

    ended = cli([*words[1:], "--json"])

    assert (ended.code, ended.err) == (0, "")
    assert list(misfits(ended.json, commands()[name].answer, name)) == []


def misfits(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Where a value is not of a shape."""
    match shape:
        case str():
            if not (value is None and shape.endswith("?")) and not KINDS[shape.removesuffix("?")](value):
                yield f"{where}: {value!r} is no {shape}"
        case [part]:
            for place, each in enumerate(value):
                yield from misfits(each, part, f"{where}[{place}]")
        case [_, _]:
            if not (isinstance(value, list) and len(value) == 2):
                yield f"{where}: {value!r} is no change"
        case {"NAME": part}:
            for key, each in value.items():
                yield from misfits(each, part, f"{where}.{key}")
        case dict():
            fields = {key.removesuffix("?"): (part, key.endswith("?")) for key, part in shape.items() if key != "..."}
            if (value.keys() - fields.keys() and "..." not in shape) or fields.keys() - value.keys():
                yield f"{where}: fields {sorted(value.keys() ^ fields.keys())} are only on one side"
            for key in fields.keys() & value.keys():
                part, optional = fields[key]
                if not (optional and value[key] is None):
                    yield from misfits(value[key], part, f"{where}.{key}")


KINDS = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "true or false": lambda value: isinstance(value, bool),
    "time": lambda value: datetime.fromisoformat(value).tzinfo is not None,
    "digest": lambda value: re.fullmatch(r"(sha256|blake3):[0-9a-f]{64}", value) is not None,
}


def test_a_value_of_another_shape_is_noticed() -> None:
    shape = {"a": "number", "b?": ["text"], "c": {"NAME": "digest"}}

    assert list(misfits({"a": 1, "b": None, "c": {}}, shape, "x")) == []
    assert len(list(misfits({"a": "1", "b": [1], "c": {"d": "e"}}, shape, "x"))) == 3
    assert list(misfits({"a": 1, "d": 2}, shape, "x")) != []
