"""The tables of a ledger's database, as SQLAlchemy describes them; the migrations make them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

Count = BigInteger().with_variant(Integer, "sqlite")
Bytewise = Text().with_variant(Text(collation="C"), "postgresql")

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1: this row is the writers' lock"),
    Column("format", Integer, nullable=False),
    Column("name", String(40), nullable=False, comment="what LEPTON_LEDGER calls it"),
    Column("ledger", String(36), nullable=False, comment="the id that events bear in `source`"),
    Column("seq", Count, nullable=False),
    Column(
        "recorded_at", Count, nullable=False, comment="of the last event, in microseconds since 1970, never decreasing"
    ),
    Column("trusted_at", Count, nullable=True, comment="when the last event was recorded before time jumped ahead"),
    Column("frontier", LargeBinary, nullable=False, comment="32 bytes for each perfect subtree, largest first"),
)

events = Table(
    "events",
    metadata,
    Column("seq", Count, primary_key=True, autoincrement=False),
    Column("stream", Bytewise, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False, comment="RFC 9162 leaf hash of the envelope"),
    Column("envelope", LargeBinary, nullable=False, comment="the exact bytes that are hashed and sent"),
    Column("key", Text, nullable=True, comment="idempotency key, on the first event of a command"),
    Column("digest", Text, nullable=True, comment="digest of the command's content, beside its key"),
    Column("span", Integer, nullable=True, comment="how many events the command became, beside its key"),
    UniqueConstraint("stream", "version"),
    UniqueConstraint("key"),
)

tiles = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", Count, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False, comment="root of the place-th perfect subtree of 256^(level+1) leaves"),
)

actors = Table(
    "actors",
    metadata,
    Column("id", String(36), primary_key=True, comment="the pseudonym that events bear as authid"),
    Column("name", Text, nullable=False, unique=True),
    Column("key", LargeBinary, nullable=False, comment="AES-256 key of the actor's free text"),
)

placements = Table(
    "placements",
    metadata,
    Column("digest", String(80), primary_key=True),
    Column("pack", Text, nullable=False),
    Column("start", Count, nullable=False),
    Column("length", Count, nullable=False),
)

seen = Table(
    "seen",
    metadata,
    Column("source", Text, primary_key=True, comment="pseudonym of an outside message's source: its actor's id"),
    Column("id", Text, primary_key=True, comment="its id, which with its source names it for good"),
    Column("digest", String(80), nullable=False, comment="of its bytes: the same id with other bytes is refused"),
    Index("seen_by_id", "id"),
)

positions = Table(
    "positions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False, comment="the topic's partition"),
    Column("position", Count, nullable=False, comment="offset of the next message to take in"),
    Column("topic_id", String(36), nullable=True, comment="Kafka's id of the topic that the position is in"),
    Column("digest", String(80), nullable=True, comment="of the record before the position, with its place and time"),
    Column("seq", Count, nullable=True, comment="the last that the relay knows there: an event, or a rejected message"),
    Column("strangers", Count, nullable=True, comment="records passed over there that are not the ledger's"),
    Column("stranger_at", Count, nullable=True, comment="offset of the last of them"),
    Column("stranger_why", Text, nullable=True, comment="why it is not the ledger's"),
)

rejected = Table(
    "rejected",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=False),
    Column("topic", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("position", Count, nullable=False),
    Column("received", Count, nullable=False, comment="in microseconds since 1970"),
    Column("reason", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False, comment="the message's exact bytes"),
    Column("headers", LargeBinary, nullable=False, comment="its headers, as JSON pairs"),
    Column("retried", Count, nullable=True, comment="when it was admitted after all"),
    Column("sealed_by", String(36), nullable=True, comment="whose key seals raw and headers; null where they are not"),
)

mail = Table(
    "mail",
    metadata,
    Column("topic", Text, primary_key=True, comment="what a broker's topic would be called, where there is no broker"),
    Column("position", Count, primary_key=True, autoincrement=False),
    Column("sent", Count, nullable=False, comment="in microseconds since 1970, never decreasing"),
    Column("raw", LargeBinary, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("incarnation", String(36), primary_key=True, comment="one life of one worker process"),
    Column("pool", Text, nullable=False),
    Column("ready", LargeBinary, nullable=False, comment="its last announcement, as JSON"),
    Column("heard", Count, nullable=False, comment="when it was last heard of, in the broker's microseconds"),
)

run_heartbeats = Table(
    "run_heartbeats",
    metadata,
    Column("run", String(100), primary_key=True, comment="a run that has not ended, so far as is known"),
    Column("writer", String(36), nullable=False, comment="who logs to it: one life of one script; empty for nobody"),
    Column("heard", Count, nullable=False, comment="when it was heard of last, in the database's microseconds"),
)

token_hashes = Table(
    "token_hashes",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256 of the secret, which is kept nowhere"),
    Column("token", String(100), nullable=False, comment="the token, whose stream says whose it is and what it allows"),
)

leases = Table(
    "leases",
    metadata,
    Column("job", String(36), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("worker", String(36), nullable=False),
    Column(
        "until", Count, nullable=False, comment="in the broker's microseconds; lost only once results are read past"
    ),
)

holders = Table(
    "holders",
    metadata,
    Column("what", Text, primary_key=True, comment="the task that one process at a time does, such as relay"),
    Column("holder", String(36), nullable=False, comment="who does it, where no session can hold a lock for it"),
    Column("until", Count, nullable=False, comment="in the database's microseconds; renewed while its holder lives"),
)
