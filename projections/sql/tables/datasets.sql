-- One row for each fingerprint of data that a version was trained or evaluated on, that rows with a name have, or that a service told.
CREATE TABLE store.datasets (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR,
    version UBIGINT,
    purpose VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    data JSON NOT NULL
);

-- Materialised, or each event of the batch would be parsed to test its `data` before its type is looked at.
INSERT INTO store.datasets
WITH told AS MATERIALIZED (
    SELECT seq, recorded, stream, type, from_json(data, '{
        "version": "UBIGINT", "name": "VARCHAR", "data": "JSON"
    }') AS e
    FROM batch
    WHERE type IN (
        'lepton.version.committed.v2', 'lepton.evaluation.recorded.v1', 'lepton.dataset.recorded.v1',
        'lepton.data.named.v1'
    )
)
SELECT
    seq,
    recorded,
    CASE WHEN type NOT IN ('lepton.dataset.recorded.v1', 'lepton.data.named.v1') THEN stream[7:] END,
    CASE WHEN type != 'lepton.data.named.v1' THEN e.version END,
    CASE type
        WHEN 'lepton.version.committed.v2' THEN 'training'
        WHEN 'lepton.evaluation.recorded.v1' THEN 'evaluation'
        WHEN 'lepton.data.named.v1' THEN 'named'
        ELSE 'told'
    END,
    CASE type
        WHEN 'lepton.dataset.recorded.v1' THEN stream[9:]
        WHEN 'lepton.data.named.v1' THEN stream[6:]
        ELSE coalesce(e.name, '')
    END,
    e.data
FROM told
WHERE e.data IS NOT NULL;
