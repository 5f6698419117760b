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

-- Materialised, or each event of the batch would be parsed to test its `data` before its type is looked at.
INSERT INTO store.datasets
WITH told AS MATERIALIZED (
    SELECT seq, recorded, stream[7:] AS model, type, from_json(data, '{
        "version": "UBIGINT", "name": "VARCHAR", "data": "JSON"
    }') AS e
    FROM batch
    WHERE type IN ('lepton.version.committed.v1', 'lepton.evaluation.recorded.v1')
)
SELECT
    seq,
    recorded,
    model,
    e.version,
    CASE type WHEN 'lepton.version.committed.v1' THEN 'training' ELSE 'evaluation' END,
    coalesce(e.name, ''),
    e.data
FROM told
WHERE e.data IS NOT NULL;
