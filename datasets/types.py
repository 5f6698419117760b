"""Types of columns: what texts hold where nobody said it, and how values become the type that was said."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from ..errors import Malformed
from .memory import decoded
from .values.tensors import is_array_type

Kind: TypeAlias = Literal["number", "category", "date", "array"]
"""What a column holds; a category is a text of which only the levels matter, an array one of a shape that all share."""
TYPES: Final[Mapping[str, Kind]] = {"number": "number", "text": "category", "category": "category", "date": "date"}
"""The same by the words that people use."""
MARKERS: Final = (
    "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "NaN", "nan", "-NaN", "-nan", "NULL", "Null", "null", "None", "none",
    "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
)  # fmt: skip
"""What stands for a missing number; in a column of text it is text like any other."""
GIVEN: Final = "give it another type, or mend them"
LEARNT: Final = "the version learnt it as such, so mend them"
"""What to do where values are not of a type: of the caller's choice, or of what a version learnt."""
_TRUTH: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SOME: Final = 200
_EXACT: Final = 2**53
"""Beyond it float64 holds no longer every whole number."""


def guessed(name: str, texts: Any) -> Any:
    """Texts of a file as numbers where each of them is one, else as they are; null is missing.

    A text with a leading zero is an identifier, such as a zip code, and no number. Raises `Malformed` where a guess
    would lose something: dates, and whole numbers that no float64 holds.
    """
    import pyarrow as pa

    if texts.null_count == len(texts):
        return pa.nulls(len(texts))
    numbers = numbers_in(texts)
    if numbers is None:
        if _dates(texts) is not None:
            raise undecided_dates(name)
        return texts
    if numbers.null_count == len(numbers) or identifiers(numbers, texts):
        return texts
    if rounded(numbers, texts):
        raise rounded_numbers(name)
    return numbers


def undecided_dates(name: str) -> Malformed:
    """The refusal to guess what is to be learnt from dates."""
    return Malformed(
        f"column {name!r} holds dates; say what to learn from them with the type date (days since 1970) or text, or "
        "drop it"
    )


def rounded_numbers(name: str) -> Malformed:
    """The refusal of whole numbers that would be rounded."""
    return Malformed(
        f"column {name!r} holds whole numbers beyond 2**53, which no float holds; give it the type text, or drop it"
    )


def of_another_type(name: str, kind: Kind, remedy: str = GIVEN) -> Malformed:
    """The refusal of values that are not of the type that was said."""
    what = _WHAT[kind]
    return Malformed(f"column {name!r} holds values that are not {what}; {remedy}")


_WHAT: Final[Mapping[Kind, str]] = {
    "array": "arrays of one shape",
    "category": "text",
    "date": "a date as ISO 8601 writes it (2020-12-31)",
    "number": "a number",
}


def retyped(name: str, array: Any, kind: Kind, remedy: str = GIVEN) -> Any:
    """A column's values as the type that was said. Raises `Malformed` where one is no such thing."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = decoded(name, array)
    textual = is_text(array.type)
    if kind == "category" and not is_array_type(array.type):
        return array if textual else array.cast(pa.large_string())
    if kind == "array" or is_array_type(array.type):
        made = array if kind == "array" and is_array_type(array.type) else None
    elif is_date(array.type):
        made = array if kind == "date" else None
    elif not textual:
        made = array if kind == "number" or array.null_count == len(array) else None
    else:
        made = numbers_in(array) if kind == "number" else _dates(array)
    if made is None:
        raise of_another_type(name, kind, remedy)
    return made


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is one of text."""
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def is_date(kind: Any) -> bool:
    """Whether an Arrow type is one of days or of moments."""
    import pyarrow as pa

    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def days(array: Any) -> Any:
    """Days since 1970-01-01 UTC of dates or moments, float64, NaN where missing."""
    import numpy as np
    import pyarrow as pa

    moments = array.cast(pa.timestamp("us", getattr(array.type, "tz", None)), safe=False)
    counts = moments.cast(pa.int64()).cast(pa.float64(), safe=False).fill_null(float("nan"))
    return np.asarray(counts.to_numpy(zero_copy_only=False)) / 86_400e6


def numbers_in(texts: Any) -> Any:
    """The texts as whole numbers, numbers or truth values; None where one is neither."""
    if (plain := _cast(texts)) is not None:
        return plain
    known = unmarked(texts)
    return plain if (plain := _cast(known)) is not None else truths(known)


def unmarked(texts: Any) -> Any:
    """Texts without the spaces around them, and null where one stands for a missing number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(MARKERS, trimmed.type)), None, trimmed)


def truths(known: Any) -> Any:
    """Trimmed texts as truth values; None where one is no word for one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pa.array([*_TRUTH, "1", "0"], known.type)
    places = pc.index_in(known, value_set=words)
    if places.null_count > known.null_count:
        return None
    return pa.array([*_TRUTH.values(), True, False]).take(places)


def _cast(texts: Any) -> Any:
    """The texts as whole numbers, or as numbers; None where one is none."""
    import pyarrow as pa

    return first_of(texts, (pa.int64(), pa.float64()))


def first_of(texts: Any, kinds: Iterable[Any]) -> Any:
    """The texts as the first of the types that all of them write; None where there is none.

    Some are tried before all, for Arrow takes long over each text that is none.
    """
    import pyarrow as pa

    for kind in kinds:
        try:
            texts.slice(0, _SOME).cast(kind)
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def identifiers(numbers: Any, texts: Any) -> bool:
    """Whether a text that writes a whole number begins with a zero that the number has not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_integer(numbers.type):
        return False
    trimmed = pc.utf8_ltrim_whitespace(texts)
    padded = pc.or_(pc.starts_with(trimmed, "0"), pc.starts_with(trimmed, "-0"))
    return bool(pc.any(pc.match_substring_regex(trimmed.filter(padded), r"^-?0\d")).as_py())


def _dates(texts: Any) -> Any:
    """The texts as moments; None where one is none. With an offset from UTC, or without: not both."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    return first_of(trimmed, (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns")))


def rounded(numbers: Any, texts: Any) -> bool:
    """Whether a text that writes a whole number is rounded where it becomes a float64."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(numbers.type):
        return False
    large = pc.fill_null(pc.greater(pc.abs(numbers.cast(pa.float64(), safe=False)), float(_EXACT)), False)
    return bool(pc.any(pc.match_substring_regex(texts.filter(large), r"^\s*[+-]?\d+\s*$")).as_py())
