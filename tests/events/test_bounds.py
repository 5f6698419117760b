"""Every value that an event may hold can be projected and read; what none can hold is refused before it is written."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from lepton_ai.errors import Malformed, Refused
from lepton_ai.events.bounds import FREE, STORED
from lepton_ai.events.catalogue import CATALOGUE
from lepton_ai.events.envelope import decode
from lepton_ai.events.event import Event
from lepton_ai.events.inbox import Letter
from lepton_ai.events.model import ModelRegistered
from lepton_ai.events.objects import ManifestWritten
from lepton_ai.events.outside import DatasetRecorded, ObservationRecorded
from lepton_ai.events.run import MetricsLogged, RunStarted
from lepton_ai.events.schemas import data_schema
from lepton_ai.events.study import TrialReported
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.manager import ModelManager
from lepton_ai.projections.check import compare
from lepton_ai.projections.export import export
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.schema import schema
from lepton_ai.settings import load
from lepton_ai.wiring import Home

from ..asking import commit
from ..projections.past import Past, committed, manifest

GOLDEN: Final = Path(__file__).parents[1] / "golden"
TEXTS: Final = ("", "\0", "a\0b", "\x1f\x7f", "\u202e", "\ufffe", "\U0010ffff", "e\u0301", "'\"\\", "NaN", "x" * 60_000)
FLOATS: Final = (math.nan, math.inf, -math.inf, -0.0, 5e-324, -1.7976931348623157e308, 1e308, 0.1)
FREE_VALUES: Final = (*FREE, True, None, *FLOATS, *TEXTS, [[]], {}, {"": {"\0": [FREE[1]]}}, [list(FREE)] * 3)
EARLIEST, LATEST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"


def fitting(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[Any]:
    """The extremes that a part of a published schema allows."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for choice in node.get("anyOf", ()):
        yield from fitting(choice, schema)
    if "enum" in node:
        yield from node["enum"]
        return
    match node.get("type"):
        case "integer":
            assert "maximum" in node, f"a whole number without a bound: {node}"
            yield from {node["maximum"], node.get("minimum", node["maximum"])}
        case "number":
            yield from (each for each in FLOATS if "maximum" not in node or 0 < each <= node["maximum"])
            yield node.get("maximum", 1.0)
        case "string" if node.get("format") == "date-time":
            yield from (EARLIEST, LATEST, "2026-01-01T00:00:00.000001+14:00")
        case "string":
            yield from (f"blake3:{'f' * 64}",) if "pattern" in node and "blake3" in node["pattern"] else ()
            yield from (f"sha256:{'0' * 64}",) if "pattern" in node else TEXTS
        case "boolean":
            yield from (True, False)
        case "null":
            yield None
        case "array" if "prefixItems" in node:
            yield [0.5 for _ in node["prefixItems"]]
        case "array":
            yield []
            yield from ([each] * 2 for each in fitting(node["items"], schema))
        case "object" if isinstance(inner := node.get("additionalProperties"), dict) and inner:
            yield {}
            yield dict.fromkeys(TEXTS[:-1], 1) if accepts_numbers(inner) else {}
            yield from ({"k": each} for each in fitting(inner, schema))
        case "object" if "properties" in node:
            yield from varied(
                {name: next(fitting(each, schema)) for name, each in node["properties"].items()}, node, schema
            )
        case "object":
            yield from ({"k": each} for each in FREE_VALUES)
            yield dict.fromkeys(TEXTS[:-1], 1)
        case _:
            assert "anyOf" in node or "const" in node or node.keys() <= {"description", "default"}, node


def accepts_numbers(node: dict[str, Any]) -> bool:
    return "number" in json.dumps(node) and node.get("type") != "array"


def varied(whole: dict[str, Any], node: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An object with each of its fields at each extreme, one at a time."""
    for name, part in node["properties"].items():
        for value in fitting(part, schema):
            yield {**whole, name: value}


def beyond(node: dict[str, Any], value: Any) -> Iterator[Any]:
    """A valid value of a field, pushed over the nearest bound wherever it holds a number."""
    if node.get("type") == "integer":
        yield node["maximum"] + 1
        yield 2**64
        yield 10**4000
        if "minimum" in node:
            yield node["minimum"] - 1
    elif node.get("type") == "number" and "maximum" in node:
        yield from (math.nan, math.inf, 1e308, 0.0, -1.0)
    elif node.get("format") == "date-time":
        yield from ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00")
    elif node.get("type") == "array":
        yield from ([each] for each in beyond(node["items"], value))
    elif "anyOf" in node:
        for choice in node["anyOf"]:
            yield from beyond(choice, value)


def golden(kind: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{kind}.json").read_bytes())


def of_one_length(data: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    """Columns that must be as long as each other, cut to the one that was varied."""
    length = min(len(data[name]) for name in columns)
    return data | {name: data[name][:length] for name in columns}


def extremes(kind: type[Event]) -> Iterator[Event]:
    """Events of a type with each field at each extreme, as far as the type accepts them."""
    published, whole = data_schema(kind), golden(kind.type_name())["data"]
    if kind is ManifestWritten:
        whole = json.loads(manifest(1).model_dump_json(exclude={"type"}))
    for data in varied(copy.deepcopy(whole), published, published):
        if kind is MetricsLogged:
            data = of_one_length(data, ("names", "steps", "values", "times"))
        if kind is TrialReported:
            data = of_one_length(data, ("steps", "values"))
        if kind is ManifestWritten:
            data = of_one_length(data, ("names", "dtypes", "shapes", "bytes", "digests"))
        if kind is ObservationRecorded:
            data |= {"since": min(data["since"], data["until"]), "until": max(data["since"], data["until"])}
        yield kind.model_validate(data)


def test_every_extreme_of_every_type_is_projected_and_every_view_reads_it(tmp_path: Path) -> None:
    past, tried = Past(), 0
    past.add("model/credit", ModelRegistered(model="credit"), committed(1))
    for name, kind in CATALOGUE.items():
        stream = golden(name)["subject"]
        for event in extremes(kind):
            past.add(stream, event)
            tried += 1
            assert decode(past.rows[-1].envelope).event.type == name

    with Projection(tmp_path, past, wait=0) as held:
        assert held.catch_up() == past.end()
        assert query(held, "FROM unprojected").to_pylist() == []
        for view in schema().views:
            for table in (query(held, f"FROM {view.name}"), query(held, f"FROM {view.name}", as_of=past.end() // 2)):
                for form in ("json", "csv", "parquet"):
                    export(table, form)
        assert not list(compare(held, past))
    assert tried > 900


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.__name__)
def test_a_number_or_time_beyond_its_bound_is_refused_when_made_and_read_when_stored(kind: type[Event]) -> None:
    published, whole = data_schema(kind), golden(kind.type_name())["data"]
    for name, node in published["properties"].items():
        for value in beyond(node, whole.get(name)):
            data = whole | {name: value}
            with pytest.raises(ValidationError):
                kind.model_validate(data)
            if isinstance(value, int) and value > 0:
                assert kind.model_validate(data, context=STORED).model_dump()[name] == value


@pytest.mark.parametrize("kind", [RunStarted, DatasetRecorded])
@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**4000])
def test_free_json_holds_whole_numbers_of_64_bits_at_any_depth(kind: type[Event], value: int) -> None:
    whole = golden(kind.type_name())["data"]
    for nested in ({"a": value}, {"a": [[{"b": value}]]}):
        name = "data" if kind is DatasetRecorded else "hyperparameters"
        with pytest.raises(ValidationError, match=r"(most|least) that is kept"):
            kind.model_validate(whole | {name: nested})
        with pytest.raises(ValidationError, match=r"(most|least) that is kept"):
            kind.model_validate(whole | {"unknown_field": nested})
        assert kind.model_validate(whole | {name: nested}, context=STORED)


def test_every_command_refuses_what_no_column_holds_before_anything_is_written(tmp_path: Path) -> None:
    import numpy as np

    with ModelManager(tmp_path / "home") as manager:
        manager.save_version({"w": np.zeros(3, np.float32)}, name="m")
        with manager.run("m") as run:
            before = manager.verify()
            for act in (
                lambda: run.log({"f1": 1.0}, step=2**63),
                lambda: run.checkpoint({"w": np.ones(3, np.float32)}, step=2**63),
                lambda: run.checkpoint({"w": np.ones(3, np.float32)}, step=-(2**63) - 1),
            ):
                with pytest.raises(Malformed) as refusal:
                    act()
                assert "\n" not in str(refusal.value)
                assert len(str(refusal.value)) < 300
            assert manager.verify() == before
            assert run.checkpoint({"w": np.ones(3, np.float32)}, step=2**63 - 1)
        assert manager.sql("SELECT checkpoint_step AS s FROM runs")["s"].to_pylist() == [2**63 - 1]


def message(type: str, subject: str, data: str) -> bytes:
    head = f'{{"specversion":"1.0","id":"{abs(hash((type, subject, data)))}","source":"/service","type":"{type}"'
    return f'{head},"subject":"{subject}","data":{data}}}'.encode()


def test_the_one_message_that_ended_all_queries_is_refused_and_the_rest_is_taken_in(tmp_path: Path) -> None:
    seen = (
        '"model":"credit","version":1,"since":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z","metrics":{"a":1}'
    )
    home = Home(load(tmp_path / "home"))
    work = home.workspace
    work.ledger.admit(commit(1), work.actors.named("Ada"))
    kind = ObservationRecorded.type_name()
    bodies = [
        f'{{{seen},"rows":18446744073709551616}}',
        f'{{{seen},"rows":9223372036854775808}}',
        f'{{{seen},"rows":1,"extra":18446744073709551616}}',
        f'{{{seen},"rows":-1}}',
        f'{{{seen.replace("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00")},"rows":1}}',
        f'{{{seen},"rows":9223372036854775807}}',
    ]
    letters = [Letter(place, message(kind, "endpoint/e", body)) for place, body in enumerate(bodies)]
    answers = Intake(work.ledger, work.actors, "inbox").take(letters, None)
    home.close()
    assert [isinstance(answer, Refused) for answer in answers] == [True] * 5 + [False]
    with ModelManager(tmp_path / "home") as manager:
        assert manager.sql("SELECT rows FROM observations")["rows"].to_pylist() == [2**63 - 1]
        assert manager.fsck(objects=False) == []
