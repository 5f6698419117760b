-- One row for each gate that was judged.
CREATE TABLE store.gates (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    against UBIGINT,
    parent UBIGINT,
    name VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    requirements JSON NOT NULL,
    metrics JSON NOT NULL,
    metrics_against JSON NOT NULL,
    metrics_parent JSON NOT NULL,
    rows VARCHAR[] NOT NULL,
    suite VARCHAR,
    suite_version UBIGINT,
    actor VARCHAR NOT NULL
);

INSERT INTO store.gates
SELECT
    seq, recorded, stream[7:], e.version, e.against, e.parent, coalesce(e.name, ''), e.passed, e.requirements,
    coalesce(e.metrics, '{}'), coalesce(e.metrics_against, '{}'), coalesce(e.metrics_parent, '{}'),
    coalesce(e.rows, []), e.suite, e.suite_version, actor
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "version": "UBIGINT", "against": "UBIGINT", "parent": "UBIGINT", "name": "VARCHAR", "passed": "BOOLEAN",
        "requirements": "JSON", "metrics": "JSON", "metrics_against": "JSON", "metrics_parent": "JSON",
        "rows": ["VARCHAR"], "suite": "VARCHAR", "suite_version": "UBIGINT"
    }') AS e
    FROM batch
    WHERE type = 'lepton.gate.judged.v1'
);
