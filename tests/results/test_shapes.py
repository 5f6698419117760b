"""What answers are as JSON: their shapes, which `--json` and the API share, and the JSON Schema of these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lepton_ai import ModelManager
from lepton_ai.results.answer import plain
from lepton_ai.results.shapes.named import NAMED
from lepton_ai.results.shapes.schema import WORDS, definitions, schema_of

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

DEFINITIONS = definitions(NAMED)


def faults(value: Any, name: str) -> list[str]:
    """What a schema has against a value."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": DEFINITIONS}}
    return [error.message for error in Draft202012Validator(whole).iter_errors(json.loads(json.dumps(plain(value))))]


@pytest.mark.parametrize("name", NAMED)
def test_a_named_shape_has_a_schema_that_is_one(name: str) -> None:
    Draft202012Validator.check_schema(DEFINITIONS[name])


def test_shapes_within_a_shape_are_referred_to() -> None:
    assert DEFINITIONS["Version"]["properties"]["parents"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Parent"},
    }


@pytest.mark.parametrize(
    ("shape", "fits", "misfits"),
    [
        ("text?", [None, "a"], [1, ["a"]]),
        ("number", [1, 0.5, "NaN", "-Infinity"], ["1", None, True, "nan"]),
        ("number?", [None, 1, "Infinity"], ["1"]),
        ("digest?", [None, f"sha256:{'0' * 64}"], ["sha256:0", 1]),
        (["any", "any"], [[1, None]], [[1], [1, 2, 3], {}]),
        ([{"a": "number"}], [[], [{"a": 1}, {"a": 2, "b": 3}]], [[{}], {"a": 1}]),
        ({"NAME": "true or false"}, [{}, {"x": True}], [{"x": 1}, []]),
        ({"a": "text", "b?": {"c": "text"}}, [{"a": "", "b": None}, {"a": "", "b": {"c": ""}}], [{"a": ""}, {"b": {}}]),
        ({"a": "text", "...": "any"}, [{"a": "", "z": 1}], [{"z": 1}]),
    ],
    ids=str,
)
def test_a_schema_takes_what_a_shape_says_and_nothing_else(shape: Any, fits: list[Any], misfits: list[Any]) -> None:
    validator = Draft202012Validator(schema_of(shape))

    assert [each for each in fits if not validator.is_valid(each)] == []
    assert [each for each in misfits if validator.is_valid(each)] == []


def test_every_word_of_shapes_is_told_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()

    assert [word for word in WORDS if f"`{word}`" not in page] == []


def test_answers_are_of_their_schemas_and_the_same_at_the_command_line(cli: Cli) -> None:
    with ModelManager(cli.home, actor="ada") as manager:
        told = {
            "log --model credit": ("Log", manager.log(model="credit").to_dict()),
            "show credit@4": ("VersionRecord", manager.show("credit@4").to_dict()),
            "diff credit@1 credit@2": ("Diff", manager.diff("credit@1", "credit@2").to_dict()),
            "compare credit@1 credit@2": ("Comparison", manager.compare("credit@1", "credit@2").to_dict()),
            "verify": ("Verified", manager.verify().to_dict()),
        }
        lists = {
            "branch": {"done": None} | manager.branches("credit").to_dict(),
            "tag": {"done": None} | manager.tags("credit").to_dict(),
            "alias": {"done": None}
            | manager.aliases(model="credit").to_dict()
            | manager.protections("credit").to_dict(),
            "find 'metric.f1 > 0'": manager.find("metric.f1 > 0").to_dict(),
            "jobs": manager.jobs.recent().to_dict(),
            "runs": manager.runs().to_dict() | {"files": None},
            "studies": manager.studies().to_dict() | {"study": None},
            "data": manager.data_sets().to_dict() | {"drift": None},
            "suite": manager.suites().to_dict() | {"run": None},
            "verify": manager.verify().to_dict() | {"proved": None},
        }

    assert {call: faults(answer, name) for call, (name, answer) in told.items()} == {call: [] for call in told}
    printed = {call: cli(f"{call} --json").json for call in (*told, *lists)}
    assert printed == json.loads(json.dumps({call: plain(each) for call, (_, each) in told.items()} | lists))
