"""What a shape is: JSON with words in the place of values, as docs/cli.md reads it."""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]
"""An object by its fields: `number`, `text`, `true or false`, `time`, `digest`, `any`; `?` may be null, `[x]` any
number of x, `[x, y]` just these, `NAME` any name, `...` further fields."""
