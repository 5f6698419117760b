-- One row for each run that was started.
CREATE TABLE store.runs (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    run VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    data JSON,
    environment JSON,
    code JSON,
    name VARCHAR,
    tags VARCHAR[],
    actor VARCHAR NOT NULL
);

INSERT INTO store.runs
SELECT seq, recorded, stream[5:], e.model, e.data, e.environment, e.code, e.name, coalesce(e.tags, []), actor
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "model": "VARCHAR", "data": "JSON", "environment": "JSON", "code": "JSON", "name": "VARCHAR",
        "tags": ["VARCHAR"]
    }') AS e
    FROM batch
    WHERE type = 'lepton.run.started.v1'
);
