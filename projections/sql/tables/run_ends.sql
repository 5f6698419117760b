-- One row for each time a run came to its end.
CREATE TABLE store.run_ends (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    run VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    error VARCHAR,
    reason VARCHAR NOT NULL,
    points UBIGINT NOT NULL
);

INSERT INTO store.run_ends
SELECT seq, recorded, stream[5:], e.status, e.error, coalesce(e.reason, ''), e.points
FROM (
    SELECT seq, recorded, stream, from_json(data, '{
        "status": "VARCHAR", "error": "VARCHAR", "reason": "VARCHAR", "points": "UBIGINT"
    }') AS e
    FROM batch
    WHERE type = 'lepton.run.finished.v1'
);
