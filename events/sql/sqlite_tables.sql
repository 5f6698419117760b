-- The tables of a new ledger in SQLite, as the migrations make them; a test holds the two together.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE head (
    id INTEGER NOT NULL,
    format INTEGER NOT NULL,
    name VARCHAR(40) NOT NULL,
    ledger VARCHAR(36) NOT NULL,
    seq INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    trusted_at INTEGER,
    PRIMARY KEY (id)
);

CREATE TABLE events (
    seq INTEGER NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    leaf BLOB NOT NULL,
    envelope BLOB NOT NULL,
    "key" TEXT,
    digest TEXT,
    span INTEGER,
    PRIMARY KEY (seq),
    UNIQUE (stream, version),
    UNIQUE ("key")
);

CREATE TABLE tiles (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, place)
);

CREATE TABLE actors (
    id VARCHAR(36) NOT NULL,
    name TEXT NOT NULL,
    "key" BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);

CREATE TABLE placements (
    digest VARCHAR(80) NOT NULL,
    pack TEXT NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (digest)
);

CREATE TABLE seen (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    digest VARCHAR(80) NOT NULL,
    PRIMARY KEY (source, id)
);

CREATE TABLE positions (
    topic TEXT NOT NULL,
    part INTEGER NOT NULL,
    position INTEGER NOT NULL,
    topic_id VARCHAR(36),
    digest VARCHAR(80),
    seq INTEGER,
    strangers INTEGER,
    stranger_at INTEGER,
    stranger_why TEXT,
    PRIMARY KEY (topic, part)
);

CREATE TABLE rejected (
    id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    part INTEGER NOT NULL,
    position INTEGER NOT NULL,
    received INTEGER NOT NULL,
    reason TEXT NOT NULL,
    raw BLOB NOT NULL,
    headers BLOB NOT NULL,
    retried INTEGER,
    sealed_by VARCHAR(36),
    PRIMARY KEY (id)
);

CREATE TABLE mail (
    topic TEXT NOT NULL,
    position INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (topic, position)
);

CREATE TABLE workers (
    incarnation VARCHAR(36) NOT NULL,
    pool TEXT NOT NULL,
    ready BLOB NOT NULL,
    heard INTEGER NOT NULL,
    PRIMARY KEY (incarnation)
);

CREATE TABLE leases (
    job VARCHAR(36) NOT NULL,
    epoch INTEGER NOT NULL,
    worker VARCHAR(36) NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (job)
);

CREATE TABLE holders (
    what TEXT NOT NULL,
    holder VARCHAR(36) NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (what)
);

CREATE INDEX seen_by_id ON seen (id);

CREATE TABLE run_heartbeats (
    run VARCHAR(100) NOT NULL,
    writer VARCHAR(36) NOT NULL,
    heard INTEGER NOT NULL,
    PRIMARY KEY (run)
);

CREATE TABLE token_hashes (
    hash BLOB NOT NULL,
    token VARCHAR(100) NOT NULL,
    PRIMARY KEY (hash)
);

INSERT INTO alembic_version VALUES ('0003');
