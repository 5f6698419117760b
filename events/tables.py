"""The tables of a ledger's database, as SQLAlchemy describes them; the migrations make them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

Count = BigInteger().with_variant(Integer, "sqlite")
Bytewise = Text().with_variant(Text(collation="C"), "postgresql")

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1: this row is the writers' lock"),
    Column("format", Integer, nullable=False),
    Column("ledger", String(36), nullable=False),
    Column("seq", Count, nullable=False),
    Column(
        "recorded", Count, nullable=False, comment="of the last event, in microseconds since 1970, never decreasing"
    ),
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
