"""What a hyperparameter may be set to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias, TypeGuard, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
WHOLE = 2**53 - 1  # beyond it RFC 8785, which recipes are written in, has no integers


@dataclass(frozen=True)
class Hyperparameter:
    """A default, the rule that a value must keep (in words that follow "must be"), and the test of it."""

    default: Json
    rule: str
    accepts: Callable[[Any], bool]

    @classmethod
    def number(cls, default: float | None, low: float, high: float) -> Self:
        """A finite number from low to high, both allowed."""
        return cls(
            default, f"a number from {low:g} to {high:g}", lambda value: _is_real(value) and low <= value <= high
        )

    @classmethod
    def whole(cls, default: int, low: int, high: int = WHOLE) -> Self:
        """A whole number from low to high, both allowed."""
        rule = f"a whole number of at least {low}" if high == WHOLE else f"a whole number from {low} to {high}"
        return cls(default, rule, lambda value: _is_whole(value) and low <= value <= high)

    @classmethod
    def sizes(cls, default: list[Json], high: int = 65_536) -> Self:
        """A list, perhaps empty, of whole numbers from 1 to high."""

        def accepts(value: object) -> bool:
            items = cast("list[object]", value) if isinstance(value, list) else [None]
            return all(_is_whole(item) and 1 <= item <= high for item in items)

        return cls(default, f"a list of whole numbers from 1 to {high}", accepts)

    @classmethod
    def text(cls, default: str, rule: str) -> Self:
        """A text that is not empty."""
        return cls(default, rule, lambda value: isinstance(value, str) and value != "")

    @classmethod
    def label(cls) -> Self:
        """The value of a label, or None."""

        def accepts(value: object) -> bool:
            return value is None or isinstance(value, str) or _is_real(value)

        return cls(None, "a number, a text or None", accepts)

    def or_(self, also: Json) -> Self:
        """The same, with one more value allowed."""

        def accepts(value: object) -> bool:
            return value == also or self.accepts(value)

        return replace(self, rule=f"{self.rule}, or {also!r}", accepts=accepts)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_real(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)  # NaN fails every range
