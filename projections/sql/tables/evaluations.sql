-- One row for each evaluation of a version.
CREATE TABLE store.evaluations (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    name VARCHAR NOT NULL,
    data JSON NOT NULL,
    metrics JSON NOT NULL,
    actor VARCHAR NOT NULL,
    task VARCHAR
);

INSERT INTO store.evaluations
SELECT seq, recorded, stream[7:], e.version, coalesce(e.name, ''), e.data, e.metrics, actor, e.task
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "version": "UBIGINT", "name": "VARCHAR", "data": "JSON", "metrics": "JSON", "task": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type = 'lepton.evaluation.recorded.v1'
);
