"""docs/openapi.json is what the routes say, is OpenAPI 3.1, and says of every route what it answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from lepton_ai.web.app import described
from lepton_ai.web.openapi.document import PARAMETERS, written
from lepton_ai.web.openapi.examples import BODIES
from lepton_ai.web.openapi.examples import PARAMETERS as EXAMPLES
from lepton_ai.web.problems import ERRORS, OTHERS, TYPE

PAGE = Path(__file__).parents[2] / "docs" / "openapi.json"
WHOLE = described()
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    f"{method.upper()} {path}": (method, operation)
    for path, operations in WHOLE["paths"].items()
    for method, operation in operations.items()
}


def good(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer for status, answer in operation["responses"].items() if status.startswith("2")]


def schema(reference: Any) -> Any:
    """A schema that can be validated against by itself."""
    return {**reference, "components": WHOLE["components"]}


def test_the_page_is_what_the_routes_say() -> None:
    assert PAGE.read_text() == written(), "write it anew: make docs"


def test_it_is_openapi_3_1() -> None:
    assert WHOLE["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(WHOLE).iter_errors()) == []


def test_every_operation_has_a_name_of_its_own() -> None:
    names = Counter(operation["operationId"] for _, operation in OPERATIONS.values())

    assert {name for name, count in names.items() if count > 1} == set()
    assert {name for name in names if not re.fullmatch(r"[a-z]+\.[a-z_]+", name)} == set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_takes_and_answers(name: str) -> None:
    _, operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["description"]
    for answer in good(operation):
        json_of = answer.get("content", {}).get("application/json")
        assert json_of is None or json_of["schema"], "its shape is not told: responses=answers(SHAPE)"
        assert answer.get("content") or "204" in operation["responses"]
    for parameter in operation["parameters"]:
        if parameter.get("in") == "path":
            assert parameter["name"] in PARAMETERS
            assert parameter["example"]
    assert "422" not in operation["responses"] or operation["responses"]["422"] == {
        "$ref": "#/components/responses/Problem422"
    }


@pytest.mark.parametrize("name", [name for name, (method, _) in OPERATIONS.items() if method != "get"])
def test_what_writes_takes_a_key_and_tells_its_seq(name: str) -> None:
    _, operation = OPERATIONS[name]
    takes = {each.get("$ref", "").rpartition("/")[2] or each["name"] for each in operation["parameters"]}
    tells = [set(answer.get("headers", {})) for answer in good(operation)]

    if "Idempotency-Key" in takes:
        assert all("Lepton-Seq" in headers for headers in tells)
        assert "422" in operation["responses"]
    else:
        assert not any("Lepton-Seq" in headers for headers in tells)


def test_what_moves_a_name_takes_preconditions() -> None:
    match = {"$ref": "#/components/parameters/If-Match"}
    moving = {name for name, (_, operation) in OPERATIONS.items() if "428" in operation["responses"]}

    assert {"PATCH /api/v1/models/{model}/aliases", "POST /api/v1/models/{model}/rollbacks"} <= moving
    assert {name for name in moving if name.startswith("GET ")} == set()
    for name in moving:
        parameters = OPERATIONS[name][1]["parameters"]
        assert match in parameters or "If-Match" in {each.get("name") for each in parameters}, name


def test_every_problem_is_told_by_its_status() -> None:
    kinds = {TYPE + name for name in (*(kind.name for kind in ERRORS.values()), *OTHERS.values())}
    told = {
        each
        for answer in WHOLE["components"]["responses"].values()
        for each in answer["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["type"]["enum"]
    }

    assert told == kinds


def test_every_example_is_of_an_operation_and_fits_its_schema() -> None:
    bodies, parameters = set[str](), set[str]()
    for _, operation in OPERATIONS.values():
        name = operation["operationId"]
        if name in BODIES:
            bodies.add(name)
            content = operation["requestBody"]["content"]["application/json"]
            faults = Draft202012Validator(schema(content["schema"])).iter_errors(content["example"])
            assert [each.message for each in faults] == [], name
        for parameter in operation["parameters"]:
            if "example" in parameter:
                Draft202012Validator(schema(parameter["schema"])).validate(parameter["example"])
        told = {each["name"] for each in operation["parameters"] if "example" in each}
        assert set(EXAMPLES.get(name, ())) <= told, name
        parameters |= {name} & EXAMPLES.keys()

    assert (bodies, parameters) == (set(BODIES), set(EXAMPLES))


def test_every_body_of_json_has_an_example() -> None:
    lacking = {
        operation["operationId"]
        for _, operation in OPERATIONS.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }

    assert lacking - BODIES.keys() == set()


def test_it_is_told_alike_at_every_call() -> None:
    assert json.dumps(described(), sort_keys=True) == json.dumps(WHOLE, sort_keys=True)
