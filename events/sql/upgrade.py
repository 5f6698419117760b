"""Upgrading a ledger's tables: a copy first, then each step to today's format, in one transaction under the lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from ...errors import Damaged, Refused
from ..envelope import decode
from ..ledger import FORMAT, LedgerCreated, LedgerUpgraded, newer
from ..log import Row
from ..merkle import Frontier, leaf_hash
from .admission import Admission
from .creation import migrate
from .database import Database
from .rows import head_of, rows_of
from .statements import Statements

LEDGER = "ledger"
"""The stream that tells the ledger's format."""
_READ = 1000


class StoredLedger(NamedTuple):
    """A ledger as it was found, whatever its format."""

    name: str
    ledger: str
    format: int
    """What its tables have."""
    announced: int
    """What its log says that writers may use: less where it was restored from a topic of an older format."""
    events: int
    tree: Frontier
    """Recomputed over the exact bytes of every event."""
    bytes: int
    """What a copy takes."""

    @property
    def current(self) -> bool:
        """Whether there is nothing to do."""
        return self.format == self.announced == FORMAT


def standing(database: Database) -> StoredLedger:
    """How a ledger stands; not one byte is changed.

    Raises `Refused` where there is none, or another than asked for, `NewerLedger` where its format is newer, `Damaged`
    where its bytes do not give its root.
    """
    with database.looking() as connection:
        return _standing(database, connection, database.sql)


def upgrade(database: Database, announce: Callable[[str, Admission], None]) -> StoredLedger:
    """Bring a ledger to today's format; returns how it stood before.

    Everything happens in one transaction under the writers' lock. Only the copy of a SQLite file is made beside it,
    before anything is written: killed at any moment the ledger is in the old format or in the new one, and whole.
    `announce` is told the ledger's id and records `ledger.upgraded` in the same transaction.
    """
    with database.connection() as connection, database.engine(connection).connect() as migrating:
        migrating.begin()  # else Alembic would begin and commit by itself
        for statement in database.begin_upgrade:
            connection.execute(statement)
        try:
            with database.patient(connection):
                before = _upgraded(database, connection, migrating, announce)
                connection.execute("COMMIT")
        except BaseException:
            with suppress(Exception):
                connection.execute("ROLLBACK")
            raise
    return before


def _upgraded(
    database: Database, connection: Any, migrating: Any, announce: Callable[[str, Admission], None]
) -> StoredLedger:
    sql = database.sql
    before = _standing(database, connection, sql)
    steps = steps_from(before.format)
    if steps:
        database.copies.make(connection, before.format, before.ledger)
    for step in steps:
        migrate(migrating, step.revision)
        for change in step.rows:
            change(connection, sql)
    connection.execute(sql.set_format, (FORMAT,))
    after = _standing(database, connection, sql)
    if after.tree != before.tree:
        raise Damaged("the upgraded log", expected=_root(before.tree), found=_root(after.tree))
    if before.announced < FORMAT:
        _announced(database, connection, sql, before.ledger, announce)
    return before


def _announced(
    database: Database, connection: Any, sql: Statements, ledger: str, announce: Callable[[str, Admission], None]
) -> None:
    head = head_of(connection.execute(sql.head).fetchone())
    last = rows_of(connection.execute(sql.rows, (head.seq - 1, head.seq)))
    now = connection.execute(f"SELECT {database.clock}").fetchone()[0]
    admission = Admission(head, last[0].leaf if last else None, {}, connection, database, sql, now=now)
    announce(ledger, admission)
    admission.write()


def _standing(database: Database, connection: Any, sql: Statements) -> StoredLedger:
    if connection is None or not connection.execute(database.exists, (database.schema,)).fetchone()[0]:
        raise Refused(f"{database.name} holds no ledger {database.ledger!r}; there is nothing to upgrade")
    row = connection.execute(sql.head_of_any_format).fetchone()
    if row is None:
        raise Damaged(database.name, expected="a head of the log", found="none")
    format, name, ledger, seq, packed = row
    if format > FORMAT:
        raise newer(format)
    if name != database.ledger:
        raise Refused(f"{database.name} holds the ledger {name!r}; set LEPTON_LEDGER={name} to upgrade it")
    tree = _recomputed(connection, sql, seq)
    if tree != (head := Frontier.decode(seq, packed)):
        raise Damaged(f"the tree over events 1 to {seq}", expected=_root(head), found=_root(tree))
    announced = _announced_format(connection, sql)
    return StoredLedger(name, ledger, format, announced, seq, tree, database.copies.size(connection))


def _recomputed(connection: Any, sql: Statements, end: int) -> Frontier:
    """The tree over the exact bytes of the events up to `end`."""
    tree = Frontier()
    while tree.size < end:
        rows = rows_of(connection.execute(sql.rows, (tree.size, min(tree.size + _READ, end))))
        tree, _ = tree.extended(_leaf(row, seq) for seq, row in enumerate(rows, tree.size + 1))
        if not rows:
            raise Damaged(f"event {tree.size + 1}", expected="a whole row", found="none")
    return tree


def _leaf(row: Row, seq: int) -> bytes:
    found = leaf_hash(row.envelope)
    if row.seq != seq:
        raise Damaged(f"event {seq}", expected="a whole row", found=f"event {row.seq}")
    if found != row.leaf:
        raise Damaged(f"event {seq}", expected=f"sha256:{row.leaf.hex()}", found=f"sha256:{found.hex()}")
    return found


def _announced_format(connection: Any, sql: Statements) -> int:
    announced = 0
    for row in rows_of(connection.execute(sql.stream, (LEDGER, 0))):
        event = decode(row.envelope, row.leaf, row.seq).event
        if isinstance(event, LedgerCreated | LedgerUpgraded):
            announced = event.format
    return announced


def _root(tree: Frontier) -> str:
    return f"sha256:{tree.root().hex()}"


Rows = Callable[[Any, Statements], None]
"""Changes rows of the mutable tables: takes the driver's own connection and the statements in its dialect."""


class Step(NamedTuple):
    """What brings a ledger to a format from the one before it."""

    format: int
    revision: str
    """The file in migrations/versions that brings its tables there, the one before where they stay as they are."""
    rows: tuple[Rows, ...] = ()
    """What is done with its rows afterwards, in order. A fresh ledger has none, and does not run it."""


STEPS: Final = (
    Step(format=2, revision="0002"),
    Step(format=3, revision="0003"),  # version.committed.v2: parents of other models, roles of any name; tokens
)


def steps_from(format: int) -> tuple[Step, ...]:
    """The steps that a ledger of a format lacks."""
    return tuple(step for step in STEPS if step.format > format)
