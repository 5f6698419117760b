"""Batches: whole commands, none larger than Kafka takes, and every event in its order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.errors import Damaged
from lepton_ai.events.actor import Actor
from lepton_ai.events.batch import BATCH_BYTES, RECORD_OVERHEAD, batches
from lepton_ai.events.envelope import LIMIT
from lepton_ai.events.log import CommandRow
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.ledger import Ledger, Request

from ..asking import commit, note

BYTES = b"x" * LIMIT
LEAVES: dict[int, bytes] = {}

# what fits a batch exactly, nearly and not quite, and whatever lies between
size = st.one_of(
    st.sampled_from([1, 750, LIMIT, LIMIT - RECORD_OVERHEAD, BATCH_BYTES // 3 - RECORD_OVERHEAD]),
    st.integers(1, LIMIT),
)
command = st.one_of(st.lists(size, min_size=1, max_size=5), st.integers(1, 3000).map(lambda count: [1] * count))


def rows_of(commands: Sequence[Sequence[int]]) -> list[CommandRow]:
    """The rows of commands, told by the bytes of each of their events."""
    rows: list[CommandRow] = []
    for sizes in commands:
        for place, size in enumerate(sizes):
            leaf = LEAVES.setdefault(size, leaf_hash(BYTES[:size]))
            rows.append(CommandRow(len(rows) + 1, leaf, BYTES[:size], None if place else len(sizes)))
    return rows


def weight(rows: Sequence[CommandRow]) -> int:
    return sum(len(row.envelope) + RECORD_OVERHEAD for row in rows)


@given(st.lists(command, min_size=1, max_size=12))
def test_a_batch_ends_where_a_command_does_unless_it_holds_nothing_else(commands: list[list[int]]) -> None:
    rows = rows_of(commands)
    made = list(batches(rows))

    ends = set(accumulate(map(len, commands)))
    large = {
        row.seq + n
        for row in rows
        if row.span and weight(rows[row.seq - 1 : row.seq - 1 + row.span]) > BATCH_BYTES
        for n in range(row.span)
    }
    assert [row for batch in made for row in batch] == rows
    assert all(0 < weight(batch) <= BATCH_BYTES for batch in made)
    assert {batch[-1].seq for batch in made} - ends <= large


@given(st.lists(command, min_size=1, max_size=12))
def test_no_batch_is_smaller_than_it_must_be(commands: list[list[int]]) -> None:
    rows = rows_of(commands)
    made = list(batches(rows))

    for batch, (next_row, *_) in pairwise(made):
        following = rows[next_row.seq - 1 : next_row.seq - 1 + (next_row.span or 1)]
        assert weight(batch) + weight(following) > BATCH_BYTES


def test_the_rest_of_a_command_that_was_cut_goes_on_before_the_next() -> None:
    rows = rows_of([[LIMIT] * 5, [LIMIT] * 2, [1]])[3:]

    assert [[row.seq for row in batch] for batch in batches(rows)] == [[4, 5], [6, 7, 8]]


def test_what_is_no_event_is_sent_nowhere() -> None:
    first, second = rows_of([[5], [6]])

    with pytest.raises(Damaged, match="event 2"):
        list(batches([first, second._replace(envelope=b"y")]))


def test_rows_are_read_to_the_end_of_a_command_wherever_reading_ends(ledger: Ledger, actor: Actor) -> None:
    counts = [1, 4, 1, 7, 2, 1, 12]
    ledger.admit(commit(1), actor)  # two events
    for n, count in enumerate(counts):
        tags = tuple(f"tag{n}.{m}" for m in range(count - 1))
        ledger.admit_all([Request(commit(n + 2, n + 1, tags=tags), actor)])

    ends = list(accumulate(counts, initial=2))
    assert ledger.store.end() == ends[-1]
    for after in range(ends[-1]):
        for limit in (1, 2, 3, 5, 8, 13, 100):
            rows = ledger.store.commands(after, limit)
            assert [row.seq for row in rows] == list(range(after + 1, rows[-1].seq + 1))
            asked = min(after + limit, ends[-1])
            began = any(row.span for row in rows)
            assert rows[-1].seq == (next(end for end in ends if end >= asked) if began else asked)
    assert ledger.store.commands(ends[-1], 5) == []
    assert [(row.seq, row.envelope) for row in ledger.store.commands(0, 100)] == [
        (row.seq, row.envelope) for row in ledger.store.read(0, 100)
    ]


def test_a_span_that_no_command_has_is_not_followed_to_the_end_of_the_log(ledger: Ledger, actor: Actor) -> None:
    ledger.admit(commit(1), actor)
    ledger.admit_all(Request(note(n), actor) for n in range(4000))
    with ledger.store.database.connection() as connection:
        connection.execute("UPDATE events SET span = 1000000000 WHERE seq = 3")

    assert ledger.store.commands(0, 3)[-1].seq < 3100
