"""Expressions: what is read as what, where a text goes wrong, and what holds for which figures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.expressions.judging import Compared, judge, requirement
from lepton_ai.domain.expressions.parsing import parsed
from lepton_ai.domain.expressions.tree import (
    Arithmetic,
    Condition,
    Constant,
    Junction,
    Negative,
    Not,
    Quantity,
    Reference,
    Relation,
    names,
    written,
)
from lepton_ai.errors import Malformed

NUMBERS = st.floats(allow_nan=False).map(Constant)
REFERENCES = st.builds(
    Reference,
    st.sampled_from([None, "against", "parent"]),
    st.sampled_from([None, "metric", "param", "note", "version"]),
    st.sampled_from(["f1", "test/f1", "not", "and", "metric.f1", "parent.f1", "AR@100", 'a "b"', "f1-macro", "ß", ""])
    | st.text(max_size=8),
)


def _negated(part: Quantity) -> Quantity:
    return part if isinstance(part, Constant) else Negative(part)


QUANTITIES = st.recursive(
    NUMBERS | REFERENCES,
    lambda part: (
        part.map(_negated) | st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/"]), part, part)  # type: ignore[arg-type]
    ),
    max_leaves=8,
)
COMPARED = QUANTITIES | st.text(max_size=6).map(Constant) | st.booleans().map(Constant)
RELATIONS = st.builds(Relation, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), COMPARED, COMPARED).filter(
    lambda relation: bool(names(relation))
)
CONDITIONS = st.recursive(
    RELATIONS,
    lambda part: (
        st.builds(Not, part)
        | st.builds(Junction, st.sampled_from(["and", "or"]), st.lists(part, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_what_is_written_of_a_tree_is_read_as_the_same_tree(tree: Condition) -> None:
    assert parsed(written(tree)) == tree
    assert str(tree) == written(tree)


@given(st.text(alphabet="f1 parent.<>=+-*/()andornt0.8'\"", max_size=40) | st.text(max_size=12))
def test_any_text_is_a_tree_or_malformed_at_a_character(text: str) -> None:
    try:
        found = parsed(text)
    except Malformed as error:
        found = str(error)
    assert "at character" in found if isinstance(found, str) else parsed(written(found)) == found


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("f1>=parent.f1 -0.01", "f1 >= parent.f1 - 0.01"),
        ("f1 == 1", "f1 = 1"),
        ("not a > 1 and b > 2 or c > 3", "((not a > 1) and b > 2) or c > 3"),
        ("a - b - c > 0", "(a - b) - c > 0"),
        ("a + b * -c > 0", "a + (b * (-c)) > 0"),
        ("NOT (a > 1 OR b > 2)", "not (a > 1 or b > 2)"),
        ("0.5 < f1", "0.5 < f1"),
        ("against.metric.test/f1 > 0", 'against.metric."test/f1" > 0'),
        ("(f1) > (+.5e1)", "f1 > 5"),
    ],
)
def test_two_ways_to_write_the_same(text: str, same: str) -> None:
    assert parsed(text) == parsed(same)


@pytest.mark.parametrize("word", ["or", "not", "true", "false"])
def test_a_word_of_the_language_before_a_comparison_is_a_name(word: str) -> None:
    assert parsed(f"{word} > 1") == Relation(">", Reference(None, None, word), Constant(1.0))


def test_a_side_that_nobody_asks_for_is_part_of_the_name() -> None:
    assert names(parsed("parent.f1 > 1", sides=())) == (Reference(None, None, "parent.f1"),)
    assert names(parsed("parent.f1 > 1")) == (Reference("parent", None, "f1"),)


def test_the_names_stand_once_each_with_their_places() -> None:
    found = names(parsed("f1 >= against.f1 - 0.01 and f1 > test/f1"))

    assert [(written(name), name.place) for name in found] == [("f1", 0), ("against.f1", 6), ("test/f1", 33)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at character 1: expected a name, found 'the end'"),
        ("   ", "expected a name, found 'the end'"),
        ("f1", "at character 3: expected one of = != < <= > >=, found 'the end'"),
        ("f1 + 1", "at character 7: expected one of"),
        ("f1 >", "at character 5: expected a number, a name, a 'string', true or false, found 'the end'"),
        ("f1 > 1 and", "at character 11: expected a name"),
        ("f1 > 1 f2 > 1", "at character 8: expected `and`, `or` or the end, found 'f2'"),
        ("0 < f1 < 1", "at character 8: expected `and`, `or` or the end, found '<'"),
        ("(f1 > 1", "at character 8: expected `)` for the `(` at character 1, found 'the end'"),
        ("f1 > (1 + 2", "expected `)` for the `(` at character 6"),
        ("f1 > 1)", "at character 7: expected `and`, `or` or the end, found ')'"),
        ("(f1 > 1) + 2 > 3", "at character 10: expected `and`, `or` or the end, found '+'"),
        ("f1 > (f2 > 1)", "at character 4: a condition is joined by `and` and `or`"),
        ("f1 > 'a' + 1", "at character 6: 'a' is no number"),
        ("f1 > -true", "at character 7: true is no number"),
        ("1 < 2", "at character 1: a comparison names a figure"),
        ("f1 > 3x", "at character 6: no name, comparison or value begins with '3'"),
        ("f1 ~ 3", "at character 4: no name, comparison or value begins with '~'"),
        ("against. > 1", "at character 10: expected a name after against."),
        ("not", "expected a name"),
        ("(" * 21 + "f1 > 1" + ")" * 21, "at character 21: an expression is 20 parentheses"),
        ("f1 > " + "-" * 30 + "1", "deep at most"),
        ("not " * 30 + "f1 > 1", "deep at most"),
        (" and ".join(["f1 > 1"] * 101), "an expression compares 100 times at most"),
        ("f1 > 1" + " + 1" * 300, "an expression has 250 names and values at most"),
        ("f1 > 1" + " " * 100_000, "an expression has 100,000 characters at most"),
    ],
    ids=range(26),
)
def test_a_text_that_is_no_expression_is_shown_the_place(text: str, says: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parsed(text)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("f1 > 'high'", "at character 6: figures are compared with numbers, not with 'high'"),
        ("f1 = true", "at character 6: figures are compared with numbers, not with true"),
        ("param.lr > 1", "at character 1: param.lr is no figure"),
        ("f1 > 1 and against.note.x = 1", "at character 12: against.note.x is no figure"),
        ("f1 > 1" + " " * 1000, "a requirement has 1,000 characters at most, and this one has 1,006"),
    ],
    ids=range(5),
)
def test_where_figures_are_judged_nothing_else_is_asked_for(text: str, says: str) -> None:
    with pytest.raises(Malformed) as refusal:
        requirement(text)
    assert says in str(refusal.value)


OWN = {"f1": 0.81, "test/f1": 0.7, "zero": 0.0, "nan": math.nan, "inf": math.inf}
FIGURES = {None: OWN, "against": {"f1": 0.8}, "parent": {"f1": 0.85}}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("f1 > 0.8", True),
        ("metric.f1 > 0.8", True),
        ("f1 >= parent.f1 - 0.01", False),
        ("f1 >= parent.f1 - 0.05 and f1 > against.f1", True),
        ("f1 / parent.f1 > 0.95", True),
        ("-f1 < -0.8 and 2 * f1 != f1 + f1 + 1", True),
        ("not f1 > 0.8", False),
        ("test/f1 = 0.7 and f1 <= 0.81 and f1 < 1", True),
        ("nowhere > 1", None),
        ("not nowhere > 1", None),
        ("against.test/f1 > 1", None),
        ("nan != nan", None),
        ("f1 / zero > 1", None),
        ("inf - inf < 1", None),
        ("inf > 1e300 * 1e300", False),
        ("nowhere > 1 and f1 > 1", False),
        ("nowhere > 1 or f1 > 0.5", True),
        ("nowhere > 1 and f1 > 0.5", None),
    ],
)
def test_an_expression_holds_or_not_or_is_unknown(text: str, holds: bool | None) -> None:
    assert judge(parsed(text), FIGURES).holds is holds


def test_the_numbers_behind_an_answer_are_told() -> None:
    found = judge(parsed("f1 >= parent.f1 - 0.25 and f1 / zero > nowhere"), FIGURES)

    assert found.numbers == {"f1": 0.81, "parent.f1": 0.85, "zero": 0.0, "nowhere": None}
    assert found.compared == (
        Compared("f1 >= parent.f1 - 0.25", ">=", 0.81, 0.6, True),
        Compared("f1 / zero > nowhere", ">", None, None, None),
    )
    assert found.unknown[0] == "nowhere has no figure"
    assert found.unknown[1].startswith("f1 / zero has no value")
