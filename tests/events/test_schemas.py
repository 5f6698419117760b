"""The published schemas say what is stored, and say all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_type_hints

import jsonschema
import pytest

from lepton_ai.events.catalogue import CATALOGUE
from lepton_ai.events.event import Event, Sealed
from lepton_ai.events.schemas import data_schema, envelope_schema, files
from lepton_ai.events.upcast import UPCASTERS

PUBLISHED = Path(__file__).parents[2] / "docs" / "events"
OPEN: Final = {
    *("AliasProtected.against", "AliasProtected.suite", "ChainAdvanced.job", "DataNamed.label"),
    *("EvaluationRecorded.name", "FileLogged.media_type", "FileLogged.name", "GateJudged.name", "GateJudged.suite"),
    *("JobSubmitted.kind", "JobSubmitted.pool", "JobWarned.said", "LedgerCreated.ledger", "MetricDefined.name"),
    *("PackRepacked.pack", "PackWritten.pack", "RunFinished.error", "RunStarted.name", "SuiteDefined.against"),
    *("SuiteDefined.evaluation", "SuiteDefined.label", "SuiteDefined.named", "SuiteDefined.pool"),
    *("TokenCreated.owner", "VersionOffered.digest"),
}
"""Plain texts that are kept in the open: names, ids and kinds, nothing that a person says. Such is `Sealed`."""


def test_what_is_published_is_what_the_code_says_and_what_is_no_longer_written_stays() -> None:
    published = {path.name: path.read_text("utf-8") for path in PUBLISHED.iterdir()}

    assert {f"{kind}.json" for kind in UPCASTERS} <= published.keys()
    assert {name: text for name, text in published.items() if name.removesuffix(".json") not in UPCASTERS} == files(), (
        "run `python -m lepton_ai.events.schemas docs/events`"
    )


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.__name__)
def test_every_field_of_every_type_is_described(kind: type[Event]) -> None:
    schema = data_schema(kind)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["description"]
    assert {name for name, field in schema["properties"].items() if not field.get("description")} == set()
    for part in schema.get("$defs", {}).values():
        assert {name for name, field in part.get("properties", {}).items() if not field.get("description")} == set()


def test_every_attribute_of_the_envelope_is_described() -> None:
    schema = envelope_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    assert all(field["description"] for field in schema["properties"].values())


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.__name__)
def test_a_type_is_named_by_noun_past_participle_and_version(kind: type[Event]) -> None:
    *_, version = kind.type_name().split(".")

    assert kind.type_name().startswith("lepton.")
    assert version.startswith("v")
    assert set(kind.free_text) <= set(kind.model_fields)


def test_whatever_may_be_said_freely_is_sealed() -> None:
    types = {
        f"{kind.__name__}.{name}": (declared, name in kind.free_text)
        for kind in CATALOGUE.values()
        for name, declared in get_type_hints(kind, include_extras=True).items()
        if name in kind.model_fields
    }

    assert {field for field, (_, free) in types.items() if free} == {
        field for field, (declared, _) in types.items() if declared == Sealed
    }
    assert {field for field, (declared, free) in types.items() if declared in (str, str | None) and not free} == OPEN
