-- One row for each time a study was created.
CREATE TABLE store.studies (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    study VARCHAR NOT NULL,
    model VARCHAR,
    directions VARCHAR[] NOT NULL,
    search JSON NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.studies
SELECT seq, recorded, stream[7:], e.model, e.directions, coalesce(e.search, '{}'), actor
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "model": "VARCHAR", "directions": ["VARCHAR"], "search": "JSON"
    }') AS e
    FROM batch
    WHERE type = 'lepton.study.created.v1'
);
