"""The envelope: CloudEvents 1.0 on the outside, and types that are read for ever."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.errors import Damaged, Malformed, NewerLedger
from lepton_ai.events.catalogue import CATALOGUE
from lepton_ai.events.envelope import LIMIT, Origin, Recorded, decode, encoder
from lepton_ai.events.event import Event
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.events.model import (
    MetricsRecorded,
    ModelDescribed,
    Parent,
    TagCreated,
    VersionAnnotated,
    VersionCommitted,
)
from lepton_ai.events.run import RunStarted
from lepton_ai.events.schemas import data_schema, envelope_schema
from lepton_ai.events.upcast import UPCASTERS, Upcaster

GOLDEN = Path(__file__).parents[1] / "golden"
PUBLISHED = Path(__file__).parents[2] / "docs" / "events"
WRITTEN = sorted(path for path in GOLDEN.glob("*.json") if path.stem not in UPCASTERS)
OLD = sorted(path for path in GOLDEN.glob("*.json") if path.stem in UPCASTERS)
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
ORIGIN = Origin("an-actor", NOW, "a-key", "hmac-sha256:" + "0" * 64)

CLOUD_EVENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "CloudEvents 1.0.2, JSON format: what its specification asks of any event",
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "datacontenttype": {"type": "string", "minLength": 1},
        "dataschema": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "data": True,
        "data_base64": {"type": "string"},
    },
    "patternProperties": {
        "^[a-z0-9]{1,20}$": {
            "anyOf": [
                {"type": "boolean"},
                {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
                {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]*$"},
                {"type": "object"},
            ]
        }
    },
    "additionalProperties": False,
}


def encoded(event: Event, stream: str = "model/credit", origin: Origin = ORIGIN) -> bytes:
    return encoder("/lepton/a-ledger", origin, NOW)(event, stream, 1, 1, "01a20c43-b968-77af-9a04-4bf3c073228c")


def encoded_again(raw: bytes) -> bytes:
    """The envelope that today's code writes for what it read in another."""
    envelope, recorded = json.loads(raw), decode(raw)
    origin = Origin(
        recorded.actor,
        recorded.time,
        recorded.command,
        envelope["commanddigest"],
        envelope["authtype"],
        recorded.correlation,
        recorded.causation,
        envelope.get("traceparent"),
        (envelope["inboxsource"], envelope["inboxid"], envelope["inboxdigest"]) if "inboxid" in envelope else None,
    )
    encode = encoder(envelope["source"], origin, recorded.recorded)
    return encode(recorded.event, recorded.stream, recorded.stream_version, recorded.seq, recorded.id)


def test_every_type_has_a_golden_file_kept_for_ever() -> None:
    assert {path.stem for path in WRITTEN} == set(CATALOGUE)
    assert {path.stem for path in OLD} == set(UPCASTERS)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_a_golden_file_is_read_and_written_again_byte_by_byte(path: Path) -> None:
    raw = path.read_bytes()

    assert decode(raw, leaf_hash(raw)).event.type == path.stem
    assert encoded_again(raw) == raw


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_a_golden_file_of_a_type_no_longer_written_is_read_as_todays(path: Path) -> None:
    raw = path.read_bytes()
    envelope = json.loads(raw)

    event = decode(raw, leaf_hash(raw)).event

    assert event.type == UPCASTERS[path.stem].to
    jsonschema.validate(envelope, envelope_schema())
    jsonschema.validate(envelope["data"], json.loads((PUBLISHED / f"{path.stem}.json").read_text()))
    jsonschema.validate(json.loads(event.model_dump_json(exclude={"type"})), data_schema(type(event)))


def test_the_parents_of_a_version_committed_v1_are_of_its_own_model() -> None:
    event = decode((GOLDEN / "lepton.version.committed.v1.json").read_bytes()).event

    assert isinstance(event, VersionCommitted)
    assert event.parents == (Parent(model="credit", version=1, role="fine_tuned"),)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_every_envelope_is_a_cloud_event_as_published(path: Path) -> None:
    envelope = json.loads(path.read_bytes())

    jsonschema.validate(envelope, CLOUD_EVENT)
    jsonschema.validate(envelope, envelope_schema())
    assert envelope["type"] == path.stem
    assert envelope["dataschema"] == data_schema(CATALOGUE[path.stem])["$id"]
    jsonschema.validate(envelope["data"], data_schema(CATALOGUE[path.stem]))
    assert datetime.fromisoformat(envelope["time"]).tzinfo is not None
    assert re.fullmatch(r"\d{20}", envelope["sequence"])
    assert "sequencetype" not in envelope


def test_times_are_written_in_utc_with_microseconds() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    origin = Origin("a", datetime(999, 1, 1, 5, 30, tzinfo=east), "k", "hmac-sha256:" + "0" * 64)

    envelope = json.loads(encoded(TagCreated(tag="t", version=1), origin=origin))

    assert envelope["time"] == "0999-01-01T00:00:00.000000Z"
    assert envelope["recordedtime"] == "2026-01-02T03:04:05.000006Z"


def test_numbers_that_json_has_no_word_for_are_strings() -> None:
    event = MetricsRecorded(version=1, metrics={"a": math.nan, "b": math.inf, "c": -math.inf})

    raw = encoded(event)
    read = decode(raw).event

    assert json.loads(raw, parse_constant=pytest.fail)["data"]["metrics"] == {
        "a": "NaN",
        "b": "Infinity",
        "c": "-Infinity",
    }
    assert isinstance(read, MetricsRecorded)
    assert math.isnan(read.metrics["a"])
    assert (read.metrics["b"], read.metrics["c"]) == (math.inf, -math.inf)


text = st.text(st.characters(exclude_categories=["Cs"]))
whole = st.integers(-(2**63), 2**64 - 1)
plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | whole | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner),
    max_leaves=8,
)


@given(st.dictionaries(text, plain))
def test_free_json_is_in_hand_what_it_will_be_read_as(value: dict[str, Any]) -> None:
    event = RunStarted(run="r", model="m", hyperparameters=value)

    assert decode(encoded(event)).event == event


@given(st.dictionaries(st.text("ab", min_size=1), st.floats() | whole | st.booleans() | st.text("ab")))
def test_notes_are_in_hand_what_they_will_be_read_as(notes: dict[str, Any]) -> None:
    event = VersionAnnotated(version=1, annotations=notes)

    assert decode(encoded(event)).event == event


def test_fields_that_a_newer_lepton_wrote_are_kept() -> None:
    event = TagCreated.model_validate({"tag": "t", "version": 1, "colour": {"red": [1, 2]}})

    read = decode(encoded(event))

    assert read.event.model_extra == {"colour": {"red": [1, 2]}}
    assert encoded_again(encoded(event)) == encoded(event)


def test_an_unknown_type_stops_a_reader() -> None:
    raw = encoded(TagCreated(tag="t", version=1)).replace(b"tag.created.v1", b"tag.gilded.v1")

    with pytest.raises(NewerLedger, match=r"lepton\.tag\.gilded\.v1.*update the package"):
        decode(raw)


def test_an_envelope_beyond_256_kib_is_refused() -> None:
    most = LIMIT - len(encoded(ModelDescribed(description="")))

    assert len(encoded(ModelDescribed(description="x" * most))) == LIMIT
    with pytest.raises(Malformed, match="262,145 bytes of 262,144"):
        encoded(ModelDescribed(description="x" * (most + 1)))


@given(st.data())
def test_a_damaged_byte_is_never_read_as_a_fact(data: st.DataObject) -> None:
    raw = bytearray((GOLDEN / "lepton.tag.created.v1.json").read_bytes())
    leaf = leaf_hash(bytes(raw))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Damaged, match=f"event 20 is damaged: expected sha256:{leaf.hex()}"):
        decode(bytes(raw), leaf, 20)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"type":"lepton.tag.created.v1","data":null}', b'{"type":[],"data":1}'],
)
def test_what_is_no_envelope_is_damaged_whatever_its_leaf_says(raw: bytes) -> None:
    with pytest.raises(Damaged, match="the envelope of an event"):
        decode(raw, leaf_hash(raw))


def test_an_event_at_another_place_than_its_row_is_damaged() -> None:
    raw = encoded(TagCreated(tag="t", version=1))

    with pytest.raises(Damaged, match="event 7 is damaged: expected sequence 7, found sequence 1"):
        decode(raw, leaf_hash(raw), 7)


@pytest.fixture
def old_tag(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An event of a type that is no longer written: `v0` called the tag `label` and the version `number`."""

    def change(data: dict[str, Any], _: str) -> dict[str, Any]:
        return {"tag": data["label"], "version": data["number"]}

    monkeypatch.setitem(UPCASTERS, "lepton.tag.created.v0", Upcaster("lepton.tag.created.v1", change))
    raw = (GOLDEN / "lepton.tag.created.v1.json").read_bytes()
    envelope = json.loads(raw)
    envelope |= {"type": "lepton.tag.created.v0", "data": {"label": "v1.0", "number": 1}}
    return json.dumps(envelope).encode()


def test_an_old_type_is_read_as_todays(old_tag: bytes) -> None:
    today: Recorded = decode((GOLDEN / "lepton.tag.created.v1.json").read_bytes())

    assert decode(old_tag, leaf_hash(old_tag)) == today
