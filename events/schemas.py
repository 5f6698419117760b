"""The JSON Schemas of the events, as docs/events/ publishes them: `python -m lepton_ai.events.schemas FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final, cast

from .catalogue import CATALOGUE
from .envelope import SCHEMA
from .event import Event
from .upcast import UPCASTERS

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_TIME: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", "format": "date-time"}

ENVELOPE: Final[dict[str, dict[str, Any]]] = {
    "specversion": {"const": "1.0", "description": "of CloudEvents"},
    "id": {"type": "string", "format": "uuid", "description": "UUIDv7 of the event"},
    "source": {"type": "string", "pattern": "^/lepton/[^/]+$", "description": "the ledger"},
    "type": {
        "type": "string",
        "pattern": r"^lepton\.[a-z]+\.[a-z_]+\.v[1-9][0-9]*$",
        "description": "what happened, in its version",
    },
    "dataschema": {"type": "string", "pattern": f"^{SCHEMA}", "description": "the schema of `data`"},
    "datacontenttype": {"const": "application/json", "description": "of `data`"},
    "subject": _TEXT
    | {"description": "the stream: model/<name>, run/<id>, job/<id>, data/<name>, suite/<name>, dataset/<name>, ..."},
    "time": _TIME | {"description": "when it happened; for an outside event its producer's claim"},
    "recordedtime": _TIME | {"description": "when it was recorded; never decreases along the log"},
    "clocktime": _TIME
    | {"description": "what the clock said, where the log had been carried ahead of it; as-of by date goes by it"},
    "sequence": {"type": "string", "pattern": "^[0-9]{20}$", "description": "its place in the log, from 1, no holes"},
    "streamversion": {
        "type": "integer",
        "minimum": 1,
        "maximum": 2**31 - 1,
        "description": "its place in its stream, from 1, without holes",
    },
    "authtype": {
        "enum": ["app_user", "user", "service_account", "api_key", "system", "unauthenticated", "unknown"],
        "description": "what kind of actor asked",
    },
    "authid": _TEXT | {"description": "pseudonym of the actor that asked"},
    "commandid": _TEXT | {"description": "idempotency key of the command that it came of"},
    "commanddigest": {
        "type": "string",
        "pattern": "^hmac-sha256:[0-9a-f]{64}$",
        "description": "HMAC of the command's content under its actor's key",
    },
    "correlationid": _TEXT | {"description": "what belongs together, where it was said"},
    "causationid": _TEXT | {"description": "id of the event that caused it, where one did"},
    "traceparent": _TEXT | {"description": "W3C trace context, where there is one"},
    "inboxsource": _TEXT | {"description": "pseudonym of the source of the outside event that asked, where one did"},
    "inboxid": _TEXT | {"description": "id of that event"},
    "inboxdigest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "description": "digest of its bytes"},
    "data": {"type": "object", "description": "as `dataschema` says"},
}
"""The attributes of an envelope, by CloudEvents 1.0 and its extensions, and ours."""

_OPTIONAL: Final = ("clocktime", "correlationid", "causationid", "traceparent", "inboxsource", "inboxid", "inboxdigest")


def envelope_schema() -> dict[str, Any]:
    """The schema of an envelope: CloudEvents 1.0 in its structured JSON form."""
    return {
        "$schema": _DIALECT,
        "$id": f"{SCHEMA}envelope",
        "title": "Envelope",
        "description": "What every event bears, whatever happened.",
        "type": "object",
        "properties": ENVELOPE,
        "required": [name for name in ENVELOPE if name not in _OPTIONAL],
        "additionalProperties": False,
    }


def data_schema(kind: type[Event]) -> dict[str, Any]:
    """The schema of one type's `data`. Fields it does not know are allowed: a newer Lepton may write them."""
    schema = _without_titles(kind.model_json_schema(mode="serialization"))
    properties = {name: field for name, field in schema.pop("properties", {}).items() if name != "type"}
    # a reader must take what an older writer left out
    required = [name for name, field in kind.model_fields.items() if field.is_required()]
    head = {"$schema": _DIALECT, "$id": f"{SCHEMA}{kind.type_name()}", "title": kind.__name__}
    body = {"description": schema.pop("description"), "type": "object", "properties": properties, "required": required}
    return head | body | {name: part for name, part in schema.items() if name not in (*head, *body)}


def files() -> dict[str, str]:
    """The text of each file of docs/events/, by its name."""
    schemas = {"envelope": envelope_schema()} | {name: data_schema(kind) for name, kind in CATALOGUE.items()}
    texts = {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()
    }
    return texts | {"README.md": _index()}


def _index() -> str:
    rows = [
        f"| [`{name}`]({name}.json) | {_first_line(kind)} | {_list(_named(kind))} |" for name, kind in CATALOGUE.items()
    ]
    old = [f"| [`{name}`]({name}.json) | `{step.to}` |" for name, step in UPCASTERS.items()]
    envelope = [f"| `{name}` | {field['description']} |" for name, field in ENVELOPE.items()]
    return "\n".join(
        [
            "# Events",
            "",
            "Each event is a CloudEvents 1.0 envelope ([schema](envelope.json)) whose `data` is described here.",
            "Types are never changed: what must differ gets a new version, and the old ones are read for ever.",
            "Written by `python -m lepton_ai.events.schemas docs/events`.",
            "",
            "| type | what happened | fields |",
            "| --- | --- | --- |",
            *rows,
            "",
            "## No longer written",
            "",
            "| type | read as |",
            "| --- | --- |",
            *old,
            "",
            "## Envelope",
            "",
            "| attribute | what it is |",
            "| --- | --- |",
            *envelope,
            "",
        ]
    )


def _named(kind: type[Event]) -> list[str]:
    return [name for name in kind.model_fields if name != "type"]


def _list(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _first_line(kind: type[Event]) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def _without_titles(node: Any) -> Any:
    """A schema without the titles that only repeat a field's name."""
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        return {
            name: _without_titles(part)
            for name, part in members.items()
            if not (name == "title" and isinstance(part, str))
        }
    return [_without_titles(part) for part in cast("list[Any]", node)] if isinstance(node, list) else node


def main(folder: Path) -> None:
    """Write the files anew, and delete those of types that never were stored; what is no longer written stays."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files()
    for old in folder.iterdir():
        if old.name not in wanted and old.stem not in UPCASTERS:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
