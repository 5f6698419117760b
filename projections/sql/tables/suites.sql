-- One row for each definition of a suite.
CREATE TABLE store.suites (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    suite VARCHAR NOT NULL,
    model VARCHAR,
    branch VARCHAR,
    data JSON NOT NULL,
    named VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    evaluation VARCHAR NOT NULL,
    metrics VARCHAR[] NOT NULL,
    requirements VARCHAR[] NOT NULL,
    against VARCHAR,
    actor VARCHAR NOT NULL,
    message VARCHAR NOT NULL
);

INSERT INTO store.suites
SELECT
    seq, recorded, stream[7:], e.model, e.branch, e.data, coalesce(e.named, ''), e.label, e.evaluation,
    coalesce(e.metrics, []), coalesce(e.requirements, []), e.against, actor, coalesce(e.message, '')
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "model": "VARCHAR", "branch": "VARCHAR", "data": "JSON", "named": "VARCHAR", "label": "VARCHAR",
        "evaluation": "VARCHAR", "metrics": ["VARCHAR"], "requirements": ["VARCHAR"], "against": "VARCHAR",
        "message": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type = 'lepton.suite.defined.v1'
);
