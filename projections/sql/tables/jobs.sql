-- One row for each job that was submitted.
CREATE TABLE store.jobs (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    job VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    payload JSON,
    message VARCHAR NOT NULL,
    pool VARCHAR NOT NULL,
    after VARCHAR[] NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.jobs
SELECT
    seq, recorded, stream[5:], e.kind, e.model, e.payload, coalesce(e.message, ''), coalesce(e.pool, 'default'),
    coalesce(e.after, []), actor
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "kind": "VARCHAR", "model": "VARCHAR", "payload": "JSON", "message": "VARCHAR", "pool": "VARCHAR",
        "after": ["VARCHAR"]
    }') AS e
    FROM batch
    WHERE type = 'lepton.job.submitted.v1'
);
