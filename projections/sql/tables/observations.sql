-- One row for each figure of what was seen of a version where it serves.
CREATE TABLE store.observations (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    endpoint VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    rows UBIGINT NOT NULL,
    name VARCHAR NOT NULL,
    value DOUBLE
);

INSERT INTO store.observations
SELECT
    seq, recorded, stream[10:], e.model, e.version, store.moment(e.since), store.moment(e.until), e.rows, unnest(map_keys(e.metrics)),
    unnest(map_values(e.metrics))
FROM (
    SELECT seq, recorded, stream, from_json(data, '{
        "model": "VARCHAR", "version": "UBIGINT", "since": "TIMESTAMPTZ", "until": "TIMESTAMPTZ", "rows": "UBIGINT",
        "metrics": "MAP(VARCHAR, DOUBLE)"
    }') AS e
    FROM batch
    WHERE type = 'lepton.observation.recorded.v1'
);
