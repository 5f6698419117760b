"""A card of the model library: what is told of a class to whoever looks for a model."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LibraryCard(BaseModel):
    """What the library tells of a class; a `Model` of your own may have one as its `CARD`. All of it may be left out.

    Raises pydantic's `ValidationError` on what is no field, and on addresses that are none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: tuple[str, ...] = ()
    """What it predicts, such as binary; the class's `TASK` if left out."""
    reads: str = ""
    """What it learns from."""
    size: str = ""
    """Its parameters at the defaults."""
    sources: dict[str, Annotated[str, Field(pattern=r"^https?://")]] = {}
    """Papers, each with its address."""
    licence: str = ""
    """Of the method's code, and of pretrained weights where there are some."""
    good_at: str = ""
    not_for: str = ""
    """Where it should not be used."""
    extra: str = ""
    """The extra of Lepton that it needs."""
    packages: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], ...] = ()
    """What it imports of the extra, or beside Lepton."""
