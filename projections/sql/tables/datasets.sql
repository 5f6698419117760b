-- One row for each fingerprint of data that a version was trained or evaluated on.
CREATE TABLE store.datasets (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    purpose VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    data JSON NOT NULL
);

INSERT INTO store.datasets
SELECT
    seq,
    recorded,
    stream[7:],
    e.version,
    CASE type WHEN 'lepton.version.committed.v1' THEN 'training' ELSE 'evaluation' END,
    coalesce(e.name, ''),
    e.data
FROM (
    SELECT seq, recorded, stream, type, from_json(data, '{
        "version": "UBIGINT", "name": "VARCHAR", "data": "JSON"
    }') AS e
    FROM batch
    WHERE type IN ('lepton.version.committed.v1', 'lepton.evaluation.recorded.v1')
)
WHERE store.json_kind(e.data) = 'object';
