"""What stands beside the log in its database, against it: one head, nothing foreign, what was taken in, who acted.

None of it is hashed into the tree, and all of it decides what Lepton does: a trigger could change rows as they are
written, a second head answer in the first one's place, a missing row of `seen` let a message count twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import Damaged
from ..actor import Actor
from .actors import Actors
from .queue import RESULTS
from .store import Store


class Beside:
    """One pass over the tables beside the event table, and over what events say of them as the log is read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sql = store.sql
        self._actors: Mapping[str, Actor] = {}
        self.forgotten: set[str] = set()
        """The pseudonyms that events bear and no name stands for any more."""

    def damages(self) -> Iterator[Damaged]:
        """What is wrong with the tables by themselves."""
        yield from self._heads()
        with self._store.database.connection() as connection:
            foreign = self._store.database.foreign(connection)
        for what in foreign:
            yield Damaged(self._store.database.name, expected="nothing but Lepton's own tables", found=what)
        yield from self._numbers()
        try:
            self._actors = Actors(self._store.database).all()
        except Damaged as damage:
            yield damage

    def of_event(self, seq: int, envelope: Mapping[str, Any]) -> Iterator[Damaged]:
        """What is wrong with who told an event, and with the memory of its message."""
        pseudonym = envelope.get("authid")
        actor = self._actors.get(str(pseudonym))
        if actor is None:
            self.forgotten.add(str(pseudonym))
        if (source := envelope.get("inboxsource")) is None:
            return
        if actor is not None and source not in (actor.name, actor.id):
            yield Damaged(f"the name of actor {actor.id}", expected=f"that of event {seq}, {source!r}", found="another")
        yield from self._memory(seq, str(pseudonym), envelope)

    def _memory(self, seq: int, source: str, envelope: Mapping[str, Any]) -> Iterator[Damaged]:
        """The row by which a message counts once: under its source's pseudonym."""
        digest = str(envelope.get("inboxdigest"))
        # the pseudonyms of those who were forgotten before they had one were drawn anew
        bytes_alone = digest if source in self.forgotten else ""
        with self._store.database.connection() as connection:
            asked = (envelope.get("inboxid"), source, bytes_alone, bytes_alone)
            row = connection.execute(self._sql.seen, asked).fetchone()
        if row is None or row[0] != digest:
            thing = f"the memory of the message of event {seq}"
            yield Damaged(thing, expected=digest, found="none" if row is None else str(row[0]))

    def _heads(self) -> Iterator[Damaged]:
        with self._store.database.connection() as connection:
            heads = connection.execute(self._sql.heads).fetchall()
        if (ids := [row[0] for row in heads]) != [1]:
            yield Damaged("the head", expected="one row, of id 1", found=f"rows of id {ids}")
        elif heads[0][1] != self._store.database.ledger:
            yield Damaged("the head's name", expected=self._store.database.ledger, found=str(heads[0][1]))

    def _numbers(self) -> Iterator[Damaged]:
        """Places that nothing can stand at."""
        with self._store.database.connection() as connection:
            before = connection.execute(self._sql.rows_before_first).fetchone()[0]
            positions = connection.execute(self._sql.positions).fetchall()
            last = connection.execute(self._sql.last_mail, (RESULTS,)).fetchone()
        if before:
            yield Damaged("the event table", expected="no row before event 1", found=f"{before}")
        for topic, part, position in positions:
            most = last[0] + 1 if last and topic == RESULTS else None
            if type(position) is not int or position < 0 or (most is not None and position > most):
                expected = "from 0" if most is None else f"from 0 to {most}"
                yield Damaged(f"the position in {topic} {part}", expected=expected, found=str(position))
