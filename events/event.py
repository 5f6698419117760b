"""What an event is: a frozen fact with a versioned name."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Json = dict[str, JsonValue]
Digest = Annotated[
    str, Field(pattern=r"^(sha256|blake3):[0-9a-f]{64}$", description="algorithm and hexadecimal digest")
]
Sealed = Annotated[str, Field(description="free text, sealed under its actor's key; empty where nothing was said")]
Number = Annotated[int, Field(ge=1, description="a version's number within its model")]
Metrics = dict[str, float]
Annotation = str | int | float | bool | None


class Event(BaseModel):
    """A fact that happened. Fields that a newer Lepton wrote are kept; non-finite numbers are strings."""

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_inf_nan="strings")

    type: Any
    """Subclasses narrow it to the one name they are stored under, `lepton.<noun>.<past participle>.v<n>`."""

    free_text: ClassVar[tuple[str, ...]] = ()
    """The fields that hold sealed text: they may name a person, so they open only at the door."""

    @classmethod
    def type_name(cls) -> str:
        """The name the event is stored under."""
        return cls.model_fields["type"].default
