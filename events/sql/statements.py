"""The statements of the event store: plain SQL that SQLite and PostgreSQL both speak, run on the driver itself."""

from __future__ import annotations

import re
from typing import Final

_TABLE: Final = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE)( +)"
    r"(actors|events|head|holders|leases|mail|placements|positions|rejected|run_heartbeats|seen|tiles|token_hashes|workers)\b"
)
"""Where a statement names a table of the ledger; tests/events/test_pooler.py finds one that is missing here."""

_CLOCK: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""PostgreSQL's own clock, in microseconds since 1970."""
_ROW: Final = "SELECT seq, leaf, envelope FROM events"
_WHOLE_ROW: Final = 'seq, stream, version, type, leaf, envelope, "key", digest, span'
_PLACEMENT: Final = "digest, pack, start, length"
_SENT: Final = "position, topic_id, digest, seq, strangers, stranger_at, stranger_why"

_REJECTED: Final = "topic, part, position, received, reason, raw, headers, sealed_by"


class Statements:
    """The statements with a driver's own mark where a parameter goes; `:many` holds as many as are asked for.

    Where the database has schemas each table is named with its own: behind a transaction pooler a connection's
    `search_path` belongs to nobody, and an unqualified name may be a table of another ledger.

    The drivers run them directly: SQLAlchemy, which describes the tables, would cost an append 200 µs more and every
    start of the command line 0.3 s.
    """

    head = "SELECT seq, recorded_at, frontier, trusted_at, ledger, format FROM head"
    identity = "SELECT format, name, ledger FROM head"
    head_and_known = (
        "SELECT h.seq, h.recorded_at, h.frontier, h.trusted_at, (SELECT l.leaf FROM events l WHERE l.seq = h.seq), "
        "h.ledger, h.name, h.format, :now, "
        'e."key", e.seq, e.span, e.digest FROM head h LEFT JOIN events e ON e."key" IN (:many)'
    )
    head_of_any_format = "SELECT format, name, ledger, seq, frontier FROM head"
    heads = "SELECT id, name FROM head ORDER BY id"
    rows_before_first = "SELECT count(*) FROM events WHERE seq < 1"
    positions = "SELECT topic, part, position FROM positions ORDER BY topic, part"
    set_format = "UPDATE head SET format = ?"
    pulse = "SELECT seq, (SELECT max(position) FROM mail WHERE topic = ?), (SELECT max(id) FROM rejected) FROM head"
    insert_head = "INSERT INTO head (id, format, name, ledger, seq, recorded_at, frontier) VALUES (1, ?, ?, ?, 0, 0, ?)"
    move_head = "UPDATE head SET seq = ?, recorded_at = ?, frontier = ?, trusted_at = ?"
    insert_events = f"INSERT INTO events ({_WHOLE_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    # PostgreSQL's: a column an array
    insert_event_arrays = (
        f"INSERT INTO events ({_WHOLE_ROW}) SELECT * FROM unnest(?::bigint[], ?::text[], ?::int[], ?::text[], "
        "%b::bytea[], %b::bytea[], ?::text[], ?::text[], ?::int[])"
    )
    insert_event_and_move_head = f"WITH added AS ({insert_events}) {move_head}"
    insert_event_arrays_and_move_head = f"WITH added AS ({insert_event_arrays}) {move_head}"
    since = (
        "SELECT DISTINCT stream, CASE WHEN seq = ? THEN leaf END FROM events "
        "WHERE seq >= ? AND seq >= (SELECT seq FROM head) - ?"
    )
    insert_tiles = "INSERT INTO tiles (level, place, hash) VALUES (?, ?, ?)"
    # a digest kept anew has moved: where it lay before may be condemned
    insert_placements = (
        f"INSERT INTO placements ({_PLACEMENT}) VALUES (?, ?, ?, ?) ON CONFLICT (digest) "
        "DO UPDATE SET pack = excluded.pack, start = excluded.start, length = excluded.length"
    )
    known = 'SELECT seq, span, digest FROM events WHERE "key" = ?'
    rows = f"{_ROW} WHERE seq > ? AND seq <= ? ORDER BY seq"
    command_rows = "SELECT seq, leaf, envelope, span FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
    whole_rows = f"SELECT {_WHOLE_ROW} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
    last_seq = "SELECT seq FROM head"
    last_row = "SELECT max(seq) FROM events"
    stream = f"{_ROW} WHERE stream = ? AND version > ? ORDER BY seq"
    leaf = "SELECT leaf FROM events WHERE stream = ? AND version = ?"
    stream_span = f"{_ROW} WHERE stream = ? AND version > ? AND version <= ? ORDER BY seq"
    seq_of = "SELECT seq FROM events WHERE stream = ? AND version = ?"
    stream_version = "SELECT max(version) FROM events WHERE stream = ?"
    stream_last = "SELECT version, seq FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1"
    stream_of_types = f"{_ROW} WHERE stream = ? AND version > ? AND version <= ? AND type IN (:many) ORDER BY seq"
    stream_gaps = """
        SELECT seq, stream, version, before
        FROM (
            SELECT seq, stream, version,
                coalesce(lag(version) OVER (PARTITION BY stream ORDER BY seq), 0) AS before
            FROM events
        ) AS placed
        WHERE version != before + 1
        ORDER BY seq
    """
    # from name to name through the index: it costs as many steps as there are streams, not as they have events
    streams = """
        WITH RECURSIVE named(stream) AS (
            SELECT min(stream) FROM events WHERE stream >= ? AND stream < ?
            UNION ALL
            SELECT (SELECT min(e.stream) FROM events e WHERE e.stream > n.stream AND e.stream < ?)
            FROM named n WHERE n.stream IS NOT NULL
        )
        SELECT n.stream FROM named n WHERE n.stream IS NOT NULL
    """
    # nearly every stream that holds the type begins with it
    streams_holding = f"""{streams} AND (
        EXISTS (SELECT 1 FROM events f WHERE f.stream = n.stream AND f.version = 1 AND f.type = ?)
        OR EXISTS (SELECT 1 FROM events f WHERE f.stream = n.stream AND f.type = ?)
    )"""
    newest_streams = (
        "SELECT stream FROM events WHERE version = 1 AND stream >= ? AND stream < ? ORDER BY seq DESC LIMIT ?"
    )
    newest_streams_until = (
        "SELECT stream FROM events WHERE version = 1 AND stream >= ? AND stream < ? AND seq <= ? "
        "ORDER BY seq DESC LIMIT ?"
    )
    begun = "SELECT stream FROM events WHERE version = 1 AND seq <= ? AND stream IN (:many)"
    begun_with = "SELECT stream FROM events WHERE version = 1 AND type = ? AND seq <= ? AND stream IN (:many)"
    holding = "SELECT DISTINCT stream FROM events WHERE type = ? AND seq <= ? AND stream IN (:many)"
    tiles = "SELECT level, place, hash FROM tiles ORDER BY level, place"
    tile = "SELECT hash FROM tiles WHERE level = ? AND place = ?"
    tiles_from = "SELECT hash FROM tiles WHERE level = ? AND place >= ? AND place < ? ORDER BY place"
    leaves_of = "SELECT seq, leaf FROM events WHERE seq IN (:many)"
    leaves = "SELECT leaf FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
    rows_of_type = f"{_ROW} WHERE type = ? AND seq > ? AND seq <= ? ORDER BY seq"
    last_tiles = "SELECT level, max(place) FROM tiles GROUP BY level ORDER BY level"
    placements = f"SELECT {_PLACEMENT} FROM placements ORDER BY pack, start"
    any_placement = "SELECT 1 FROM placements LIMIT 1"
    find_placements = f"SELECT {_PLACEMENT} FROM placements WHERE digest IN (:many)"
    # the same bytes are the same message, whoever its source is called by now
    seen = "SELECT digest FROM seen WHERE id = ? AND (source = ? OR digest = ?) ORDER BY digest = ? DESC LIMIT 1"
    position = "SELECT position, topic_id, digest FROM positions WHERE topic = ? AND part = ?"
    insert_position = (
        "INSERT INTO positions (topic, part, position, topic_id, digest) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    )
    move_position = (
        "UPDATE positions SET position = ?, topic_id = ?, digest = ? WHERE topic = ? AND part = ? AND position = ?"
    )
    last_rejected = "SELECT max(id) FROM rejected"
    rejected = f"SELECT id, {_REJECTED}, retried FROM rejected WHERE id > ? ORDER BY id LIMIT ?"
    expire_rejected = "UPDATE rejected SET raw = ?, headers = ? WHERE received < ? AND raw != ?"
    insert_rejected = f"INSERT INTO rejected (id, {_REJECTED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    retry_rejected = "UPDATE rejected SET retried = ? WHERE id = ?"
    insert_seen = "INSERT INTO seen (source, id, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    rejected_count = "SELECT count(*) FROM rejected WHERE retried IS NULL"
    actor = "SELECT id, name, key FROM actors WHERE id = ?"
    find_actor = "SELECT id, name, key FROM actors WHERE name = ?"
    insert_actor = "INSERT INTO actors (id, name, key) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING"
    actors = "SELECT id, name, key FROM actors"
    delete_actor = "DELETE FROM actors WHERE name = ?"
    last_mail = "SELECT position, sent FROM mail WHERE topic = ? ORDER BY position DESC LIMIT 1"
    insert_mail = "INSERT INTO mail (topic, position, sent, raw) VALUES (?, ?, ?, ?)"
    mail = "SELECT position, sent, raw FROM mail WHERE topic = ? AND position >= ? ORDER BY position LIMIT ?"
    discard_mail = "DELETE FROM mail WHERE topic = ? AND position < ?"
    erase_mail = "UPDATE mail SET raw = ? WHERE topic = ? AND position >= ? AND position < ?"
    sent = f"SELECT {_SENT} FROM positions WHERE topic = ? AND part = 0"
    set_sent = (
        f"INSERT INTO positions (topic, part, {_SENT}) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (topic, part) DO UPDATE SET position = excluded.position, topic_id = excluded.topic_id, "
        "digest = excluded.digest, seq = excluded.seq, strangers = excluded.strangers, "
        "stranger_at = excluded.stranger_at, stranger_why = excluded.stranger_why"
    )
    workers = "SELECT incarnation, pool, ready, heard FROM workers WHERE heard >= ? ORDER BY incarnation"
    hear_worker = (
        "INSERT INTO workers (incarnation, pool, ready, heard) VALUES (?, ?, ?, ?) ON CONFLICT (incarnation) "
        "DO UPDATE SET pool = excluded.pool, ready = excluded.ready, heard = excluded.heard"
    )
    worker = "SELECT incarnation, pool, ready, heard FROM workers WHERE incarnation = ?"
    forget_workers = "DELETE FROM workers WHERE heard < ?"
    # the one process that relays or assigns, where the database cannot hold a lock for it; `until` is database time
    hold = (
        "INSERT INTO holders (what, holder, until) VALUES (?, ?, CLOCK + ?) ON CONFLICT (what) "
        "DO UPDATE SET holder = excluded.holder, until = excluded.until "
        "WHERE holders.until < CLOCK OR holders.holder = excluded.holder"
    ).replace("CLOCK", _CLOCK)
    held = f"SELECT holder FROM holders WHERE what = ? AND until >= {_CLOCK}"
    let_go = "DELETE FROM holders WHERE what = ? AND holder = ?"
    leases = "SELECT job, epoch, worker, until FROM leases ORDER BY until"
    give_lease = (
        "INSERT INTO leases (job, epoch, worker, until) VALUES (?, ?, ?, ?) ON CONFLICT (job) "
        "DO UPDATE SET epoch = excluded.epoch, worker = excluded.worker, until = excluded.until "
        "WHERE excluded.epoch >= leases.epoch"
    )
    renew_lease = "UPDATE leases SET until = ? WHERE job = ? AND epoch = ? AND worker = ? AND until < ?"
    renew_leases = "UPDATE leases SET until = ? WHERE until < ?"
    end_lease = "DELETE FROM leases WHERE job = ? AND epoch <= ?"
    begin_beat = (
        "INSERT INTO run_heartbeats (run, writer, heard) VALUES (?, ?, :now) ON CONFLICT (run) "
        "DO UPDATE SET writer = excluded.writer, heard = excluded.heard"
    )
    expect_beat = "INSERT INTO run_heartbeats (run, writer, heard) VALUES (?, '', :now) ON CONFLICT (run) DO NOTHING"
    beat = "UPDATE run_heartbeats SET writer = ?, heard = :now WHERE run = ? AND writer IN (?, '')"
    beating = "SELECT writer, heard FROM run_heartbeats WHERE run = ?"
    stale_beats = (
        "SELECT run, heard FROM run_heartbeats WHERE heard < :now - ? AND substr(run, 1, 6) <> 'trial/' "
        "ORDER BY heard LIMIT 1000"
    )
    stale_trials = (
        "SELECT run FROM run_heartbeats WHERE heard < :now - ? AND substr(run, 1, 6) = 'trial/' ORDER BY heard"
    )
    end_beat = "DELETE FROM run_heartbeats WHERE run = ?"
    end_stale_beat = "DELETE FROM run_heartbeats WHERE run = ? AND heard = ?"
    hashed = "SELECT token, hash FROM token_hashes WHERE hash = ?"
    insert_hash = "INSERT INTO token_hashes (hash, token) VALUES (?, ?)"
    delete_hashes = "DELETE FROM token_hashes WHERE token = ?"
    rows_of_types = f"{_ROW} WHERE seq > ? AND seq <= ? AND type IN (:many) ORDER BY seq"
    rows_of_stream = f"{_ROW} WHERE seq > ? AND seq <= ? AND stream = ? ORDER BY seq LIMIT ?"
    rows_of_stream_and_types = (
        f"{_ROW} WHERE seq > ? AND seq <= ? AND stream = ? AND type IN (:many) ORDER BY seq LIMIT ?"
    )
    some_rows_of_types = f"{_ROW} WHERE seq > ? AND seq <= ? AND type IN (:many) ORDER BY seq LIMIT ?"
    streams_without = (
        "SELECT e.stream FROM events e WHERE e.version = 1 AND e.stream >= ? AND e.stream < ? AND NOT EXISTS "
        "(SELECT 1 FROM events f WHERE f.stream = e.stream AND f.type IN (:many)) ORDER BY e.seq"
    )

    def __init__(self, mark: str, schema: str | None) -> None:
        self._mark = mark
        self._many: dict[tuple[str, int, str], str] = {}
        for name, text in vars(type(self)).items():
            if isinstance(text, str) and not name.startswith("_"):
                setattr(self, name, qualified(text, schema).replace("?", mark))

    def of_many(self, statement: str, count: int, now: str = ":now") -> str:
        """A statement with a list of `count` values, and `now` for the time."""
        text = self._many.get((statement, count, now))
        if text is None:
            text = statement.replace(":many", ", ".join([self._mark] * count)).replace(":now", now)
            self._many[statement, count, now] = text
        return text


def qualified(statement: str, schema: str | None) -> str:
    """A statement whose tables are named with their schema, where there is one."""
    return statement if schema is None else _TABLE.sub(rf'\1\2"{schema}".\3', statement)
