"""The figures of tagged sequences: words of a sentence, bases of a gene, states of a machine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ...errors import Malformed
from ...plain import words_of
from ...results import SequencePerformance
from .. import multiclass

Span = tuple[int, int, int, str]
"""The sequence, its first tag, the one behind its last, and the entity's kind."""


def score(tags: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> SequencePerformance:
    """Judge predicted tags against the true ones, a tag for each place of each sequence.

    Where the true tags are of IOB2 (`B-person`, `I-person`, `O`) whole spans are counted too, as CoNLL-2003's script
    does: a span is right where its ends and its kind are. Raises `Malformed` on no tags or unequal lengths.
    """
    check(tags, predicted)
    every, called = ([str(tag) for sequence in each for tag in sequence] for each in (tags, predicted))
    single = multiclass.score(every, called)
    matches = [list(map(str, true)) == list(map(str, given)) for true, given in zip(tags, predicted, strict=True)]
    precision, recall, f1 = _spans(tags, predicted) if is_iob(every) else (None, None, None)
    return SequencePerformance(
        accuracy=single.accuracy,
        macro_f1=single.macro_f1,
        weighted_f1=single.weighted_f1,
        exact_match=sum(matches) / len(matches),
        entity_precision=precision,
        entity_recall=recall,
        entity_f1=f1,
        classes=single.classes,
        sequences=len(tags),
        n=len(every),
    )


def check(tags: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Raise `Malformed` where there is not one predicted tag for each true one."""
    for side in (tags, predicted):
        if not isinstance(side, Collection):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Malformed(f"tags are {words_of(side)}; give a list of tags for each sequence")
    if len(tags) != len(predicted):
        raise Malformed(f"{len(tags)} sequences do not match {len(predicted)} predicted ones; give one each")
    for place, (true, given) in enumerate(zip(tags, predicted, strict=True)):
        if any(isinstance(each, str) for each in (true, given)):
            raise Malformed("a sequence is a text; give a list of its tags")
        if not all(hasattr(each, "__len__") for each in (true, given)):
            raise Malformed("a sequence is one value; give a list of its tags")
        if len(true) != len(given):
            raise Malformed(f"sequence {place} has {len(true)} tags and {len(given)} predicted ones; give one each")
        if None in list[object]([*true, *given]):
            raise Malformed(f"sequence {place} has a place without a tag; give each a tag, such as O")


def _spans(
    tags: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> tuple[float | None, float | None, float | None]:
    true = {span for place, each in enumerate(tags) for span in entities(place, each)}
    given = {span for place, each in enumerate(predicted) for span in entities(place, each)}
    right = len(true & given)
    return (
        right / len(given) if given else None,
        right / len(true) if true else None,
        2 * right / (len(true) + len(given)) if true or given else None,
    )


def entities(place: int, tags: Sequence[str]) -> Iterator[Span]:
    """The spans of one sequence; an `I-` that follows no tag of its kind begins one, as in CoNLL's script."""
    begin, kind = 0, ""
    for end, tag in enumerate([*map(str, tags), "O"]):
        mark, _, name = tag.partition("-")
        if kind and (mark != "I" or name != kind):
            yield place, begin, end, kind
            kind = ""
        if mark in ("B", "I") and not kind:
            begin, kind = end, name


def is_iob(tags: Sequence[str]) -> bool:
    """Whether these are tags of IOB2, so that whole spans can be counted."""
    return all(tag == "O" or tag[:2] in ("B-", "I-") for tag in tags) and any(tag[:2] == "B-" for tag in tags)
