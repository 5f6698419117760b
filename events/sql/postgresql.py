"""A ledger in a PostgreSQL, in a schema of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ...errors import LeptonError, Malformed, Refused
from .database import Database
from .lock import Held
from .statements import Statements

if TYPE_CHECKING:
    from .copies import SchemaCopies

HUNG: Final = 10.0
"""Seconds after which the server cuts off a writer that stopped in the middle of its transaction."""
GRACE: Final = 2.0
"""Seconds beyond the wait for a lock, in which the server itself says that it is held."""
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Whatever the role or the database has as its default."""
_UNPREPARED: Final = ("26000", "42P05")
"""SQLSTATEs of prepared statements that a session should have and has not, or has and should not."""
_FOREIGN: Final = """
    WITH ours AS (
        SELECT c.oid, c.relname, c.relkind
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s
    )
    SELECT 'trigger', tgname || ' on ' || relname FROM pg_trigger JOIN ours ON tgrelid = ours.oid WHERE NOT tgisinternal
    UNION ALL
    SELECT 'rule', rulename || ' on ' || relname FROM pg_rewrite JOIN ours ON ev_class = ours.oid WHERE relkind = 'r'
    UNION ALL
    SELECT 'policy', polname || ' on ' || relname FROM pg_policy JOIN ours ON polrelid = ours.oid
    UNION ALL
    SELECT 'view', relname::text FROM ours WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT 'rows inherited by', relname::text FROM pg_inherits JOIN ours ON inhparent = ours.oid
    WHERE relkind IN ('r', 'p')
    ORDER BY 1, 2
"""


class PostgreSQL(Database):
    """A schema of a database that `postgresql://user@host/name` names, as libpq reads it."""

    dialect = "postgresql+psycopg"
    options: ClassVar[dict[str, Any]] = {"use_native_hstore": False}  # else it asks for a type that nothing here uses
    mark = "%s"
    qualifies = True
    now = clock = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    exists = "SELECT count(*) FROM pg_tables WHERE tablename = 'head' AND schemaname = %s"

    def __init__(self, url: str, ledger: str, *, wait: float) -> None:
        self.pooled = False
        """Whether a pooler was seen between here and the server."""
        self.address = _parsed(url)
        """libpq's keywords: host, port, user, dbname, …"""
        told = self.address
        name = f"postgresql://{told.get('user', '')}@{told.get('host', '')}:{told.get('port', 5432)}/"
        secrets = tuple(str(told[word]) for word in told if "password" in word and told[word])
        super().__init__(url, ledger, wait=wait, name=name + str(told.get("dbname", "")), secrets=secrets)

    @property
    def begin(self) -> tuple[str, ...]:
        """The lock is a statement of its own: one that waits for it would read what was committed before the wait."""
        lock = f"pg_advisory_xact_lock(hashtext('{self.schema}'), hashtext('head'))"
        return (_BEGIN, f"SELECT {self._limits}, {lock}")

    @property
    def begin_creation(self) -> tuple[str, ...]:
        """A lock by the schema's name, for there is no head to lock yet; unqualified names are the ledger's within."""
        path = f"set_config('search_path', '\"{self.schema}\"', true)"
        return (_BEGIN, f"SELECT {self._limits}, {path}, pg_advisory_xact_lock(hashtext('{self.schema}'))")

    @property
    def begin_upgrade(self) -> tuple[str, ...]:
        """As `begin`; unqualified names are the ledger's within."""
        path = f"set_config('search_path', '\"{self.schema}\"', true)"
        return (*self.begin, f"SELECT {path}")

    @property
    def _limits(self) -> str:
        """Of this transaction alone, for behind a pooler the session is everybody's.

        A lock is waited for as long as LEPTON_WAIT says, and a writer that hangs is cut off. No COMMIT is cut short: it
        waits for a standby, say, and would be told as done.
        """
        limits = {
            "lock_timeout": self._milliseconds,
            "idle_in_transaction_session_timeout": max(self._milliseconds, int(HUNG * 1000)),
            "statement_timeout": 0,
        }
        return ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())

    def begin_transaction(self, connection: Any) -> None:
        """Begin a transaction that holds no lock."""
        connection.execute(_BEGIN)

    @property
    def _milliseconds(self) -> int:
        return max(1, int(self.wait * 1000))

    def check_creation(self, connection: Any) -> None:
        """Make the schema. `Refused` where text would not be kept as it is, and where the role may make none."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding not in ("UTF8", "SQL_ASCII"):
            raise Refused(
                f"{self.name} keeps text as {encoding}, which cannot hold every name; give it ENCODING 'UTF8'"
            )
        database, role, may, there = connection.exec_driver_sql(
            "SELECT current_database(), current_user, has_database_privilege(current_database(), 'CREATE'), "
            f"(SELECT has_schema_privilege(oid, 'CREATE, USAGE') FROM pg_namespace WHERE nspname = '{self.schema}')"
        ).one()
        if there is None and not may:
            grant = f'GRANT CREATE ON DATABASE "{database}" TO "{role}"'
            raise Refused(f"{self.name} does not let {role!r} make the schema {self.schema}; its owner may {grant}")
        if there is False:
            grant = f'GRANT ALL ON SCHEMA "{self.schema}" TO "{role}"'
            raise Refused(f"{self.name} does not let {role!r} make tables in {self.schema}; its owner may {grant}")
        if there is None:
            connection.exec_driver_sql(f'CREATE SCHEMA "{self.schema}"')

    def connect(self) -> Any:
        """A new connection. Where it is no session of its own, nothing is left on it that another might find."""
        from .postgresql_connection import DeadlineConnection

        connection = DeadlineConnection.connect(**self._parameters(), autocommit=True)
        connection.patience = self.wait + GRACE
        try:
            self._look_for_pooler(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _parameters(self) -> dict[str, Any]:
        """libpq's keywords. Of the waits the shorter is taken: an address may ask for none that is without end."""
        seconds = max(2, int(self.wait))
        asked = str(self.address.get("connect_timeout") or "")
        if asked.isdecimal() and int(asked):
            seconds = min(seconds, max(2, int(asked)))
        usual = {"tcp_user_timeout": max(2000, self._milliseconds)}
        return usual | self.address | {"connect_timeout": seconds, "client_encoding": "utf8"}

    def _look_for_pooler(self, connection: Any) -> None:
        """A pooler tells its clients a process id of its own, for it has none to tell: the server has another then.

        A session is told where the ledger's tables are, for SQL that is written by hand. Lepton's own names each.
        """
        own = connection.info.backend_pid
        path = f"set_config('search_path', '\"{self.schema}\"', false)"
        found = connection.execute(f"SELECT CASE WHEN pg_backend_pid() = {own} THEN {path} END").fetchone()
        if found is None or found[0] is None:
            self.pooled = True
        if self.pooled:
            # it may give each transaction to another server process, which knows none of what others prepared
            connection.prepare_threshold = None

    def alive(self, connection: Any) -> bool:
        """Not where the server hung up on it: what says something unasked has been told good-bye."""
        if connection.closed:
            return False
        poller = poll()
        poller.register(connection.fileno(), POLLIN)
        if poller.poll(0):
            connection.close()
            return False
        return True

    def together(self, connection: Any) -> AbstractContextManager[object]:
        """libpq's pipeline: the lock is held for as many ways there and back as there are answers to wait for."""
        return connection.pipeline()

    def insert_events(
        self, connection: Any, sql: Statements, rows: Sequence[tuple[Any, ...]], head: tuple[Any, ...]
    ) -> None:
        """One statement for all: the lock is held while the client writes each. Many rows go there as arrays."""
        if len(rows) == 1:
            connection.execute(sql.insert_event_and_move_head, (*rows[0], *head))
        else:
            columns = [list(column) for column in zip(*rows, strict=True)]
            connection.execute(sql.insert_event_arrays_and_move_head, (*columns, *head))

    def undone(self, error: Exception) -> bool:
        """Where the server itself says no, and not good-bye, it has aborted the transaction.

        What tells of a connection is said by a pooler, of the server that it lost.
        """
        diagnosis = getattr(error, "diag", None)
        if diagnosis is None or diagnosis.severity_nonlocalized != "ERROR":
            return False
        return not (diagnosis.sqlstate or "08").startswith(("08", "57P"))

    def translate(self, error: Exception) -> LeptonError | None:
        """As ever; and where prepared statements were lost there is a pooler that was not seen: none are made then."""
        if getattr(error, "sqlstate", None) in _UNPREPARED:
            self.pooled = True
        return super().translate(error)

    def erase(self, connection: Any) -> None:
        """Write the table anew."""
        with connection.patient():
            connection.execute(f'VACUUM (FULL) "{self.schema}".actors')

    def foreign(self, connection: Any) -> list[str]:
        """Triggers, rules and policies on the ledger's tables, views in its schema, tables that inherit from them."""
        return [f"{kind} {name}" for kind, name in connection.execute(_FOREIGN, {"schema": self.schema})]

    @property
    def copies(self) -> SchemaCopies:
        """Schemas beside the ledger's."""
        from .copies import SchemaCopies

        return SchemaCopies(self.schema, self.name)

    def patient(self, connection: Any) -> AbstractContextManager[None]:
        """Within it a statement may take minutes."""
        return connection.patient()

    def lock(self, what: str) -> Held:
        """A session's own lock by the schema's name and `what`; behind a pooler, where no session lasts, a lease."""
        from .postgresql_lock import held_lock

        return held_lock(self, what)


def _parsed(url: str) -> dict[str, Any]:
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        raise Refused("PostgreSQL needs the extra: pip install 'lepton-ai-sdk[postgres]'") from error
    try:
        told = conninfo_to_dict(url)
        for port in str(told.get("port") or 5432).split(","):  # several hosts may have one each
            int(port or 5432)
    except (ProgrammingError, ValueError):
        # what libpq says of a bad URL may quote a part of the password
        raise Malformed("LEPTON_DATABASE is no database URL; write postgresql://user@host/name") from None
    return told
