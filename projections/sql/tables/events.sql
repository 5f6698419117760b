-- Every event as it is stored; the other tables are fed from data that was brought up to today's types.
CREATE TABLE store.events (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    clock TIMESTAMPTZ,
    time TIMESTAMPTZ NOT NULL,
    type VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    stream_version UBIGINT NOT NULL,
    actor VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    correlation VARCHAR,
    causation VARCHAR,
    data JSON NOT NULL USING COMPRESSION zstd
);

INSERT INTO store.events
SELECT seq, recorded, clock, time, type, stream, stream_version, actor, id, correlation, causation, data
FROM batch;
