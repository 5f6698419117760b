-- One row for each figure of a version and for each point that a run logged.
CREATE TABLE store.metrics (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR,
    version UBIGINT,
    run VARCHAR,
    name VARCHAR NOT NULL,
    step BIGINT,
    value DOUBLE,
    evaluation VARCHAR,
    time TIMESTAMPTZ NOT NULL,
    figure VARCHAR NOT NULL,
    rows VARCHAR,
    task VARCHAR
);

-- The run's start stands earlier in the log than its points, so it is in `store.runs` by now, whatever the batches.
INSERT INTO store.metrics
SELECT
    seq, recorded, model, version, run, name, NULL, value, evaluation, time,
    CASE WHEN evaluation IS NULL THEN name ELSE coalesce(nullif(evaluation, ''), 'evaluation') || '/' || name END,
    store.rows_digest(rows), task
FROM (
    SELECT
        seq, recorded, model, e.version, e.run, unnest(map_keys(e.metrics)) AS name,
        unnest(map_values(e.metrics)) AS value, time,
        CASE WHEN type = 'lepton.evaluation.recorded.v1' THEN coalesce(e.name, '') END AS evaluation,
        CASE WHEN type = 'lepton.evaluation.recorded.v1' THEN e.data ELSE e.validation END AS rows, e.task
    FROM (
        SELECT seq, recorded, time, type, stream[7:] AS model, from_json(data, '{
            "version": "UBIGINT", "run": "VARCHAR", "name": "VARCHAR", "metrics": "MAP(VARCHAR, DOUBLE)",
            "data": "JSON", "validation": "JSON", "task": "VARCHAR"
        }') AS e
        FROM batch
        WHERE type IN ('lepton.version.committed.v2', 'lepton.metrics.recorded.v1', 'lepton.evaluation.recorded.v1')
    )
)
UNION ALL
SELECT
    b.seq, b.recorded, r.model, NULL, b.run, unnest(b.e.names), unnest(b.e.steps)::BIGINT, unnest(b.e.values), NULL,
    store.moment(unnest(b.e.times)), unnest(b.e.names), NULL, NULL
FROM (
    SELECT seq, recorded, stream[5:] AS run, from_json(data, '{
        "names": ["VARCHAR"], "steps": ["VARCHAR"], "values": ["DOUBLE"], "times": ["TIMESTAMPTZ"]
    }') AS e
    FROM batch
    WHERE type = 'lepton.metrics.logged.v1'
) AS b
LEFT JOIN store.runs AS r ON r.run = b.run;
