"""What an event is: a frozen fact with a versioned name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

from ..plain import NON_FINITE, in_json
from .bounds import Free, Ordinal, Whole

Json = Annotated[dict[str, JsonValue], Free, AfterValidator(lambda value: in_json(value))]
Digest = Annotated[
    str, Field(pattern=r"^(sha256|blake3):[0-9a-f]{64}$", description="algorithm and hexadecimal digest")
]
Sealed = Annotated[str, Field(description="free text, sealed under its actor's key; empty where nothing was said")]
Number = Annotated[Ordinal, Field(description="a version's number within its model")]
Branch = Annotated[str, Field(description="a branch's name; branches, tags and aliases share one name space a model")]
Tag = Annotated[str, Field(description="a name that stays on one version")]
Alias = Annotated[str, Field(description="a name that moves, such as production")]
RunId = Annotated[str, Field(description="a run's id, which its stream bears too")]
ModelName = Annotated[str, Field(description="a model's name, which its stream bears too")]
Figure = Annotated[float, WithJsonSchema({"anyOf": [{"type": "number"}, {"enum": list(NON_FINITE)}]})]
Metrics = Annotated[dict[str, Figure], Field(description="figures by name: f1, loss, ...")]
Annotation = Annotated[str | Whole | float | bool | None, Free, AfterValidator(lambda value: in_json(value))]

Hyperparameters = Annotated[Json, Field(description="what the caller chose: learning rate, layers, ...")]
Environment = Annotated[Json, Field(description="where it ran: names and versions of software and hardware, no paths")]
Code = Annotated[Json, Field(description="git commit, dirty flag and digest of the uncommitted diff")]
Fingerprint = Annotated[Json, Field(description="fingerprint of the data: digest, rows, columns; never a value")]
Task = Annotated[str, Field(description="what figures are of: binary, multiclass, regression, ...")]
Replayed = Annotated[tuple[Digest, ...], Field(description="the deltas that the restore replayed, in order")]
From = Annotated[Number, Field(description="the version before")]
To = Annotated[Number, Field(description="the version after")]


def unsaid(value: object) -> bool:
    """Whether a field that joined its type later says nothing: it is not written then, as before it joined."""
    return value is None or value == 0 or value in ("", ())


class Event(BaseModel):
    """A fact that happened. Fields that a newer Lepton wrote are kept; non-finite numbers are strings."""

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_inf_nan="strings", defer_build=True)
    if not TYPE_CHECKING:  # type checkers would take it for an argument
        __pydantic_extra__: dict[str, Annotated[Any, Free]]

    type: Any
    """Subclasses narrow it to the one name they are stored under, `lepton.<noun>.<past participle>.v<n>`."""

    free_text: ClassVar[tuple[str, ...]] = ()
    """The fields that hold sealed text: they may name a person, so they open only at the door."""

    @classmethod
    def type_name(cls) -> str:
        """The name the event is stored under."""
        return cls.model_fields["type"].default
