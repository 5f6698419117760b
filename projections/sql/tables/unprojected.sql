-- One row for each event that holds a value which a table cannot hold; of all tables it is in `events` alone.
CREATE TABLE store.unprojected (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    type VARCHAR NOT NULL,
    stream VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

-- `aside` is the registered list of those in the batch, which projections/aside.py finds where a batch fails.
INSERT INTO store.unprojected
SELECT b.seq, b.recorded, b.type, b.stream, a.reason
FROM batch AS b
JOIN aside AS a USING (seq);
