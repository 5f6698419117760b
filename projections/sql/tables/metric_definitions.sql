-- One row for each time that somebody said which way a metric of a model is better.
CREATE TABLE store.metric_definitions (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    better VARCHAR NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.metric_definitions
SELECT seq, recorded, stream[7:], data ->> 'name', data ->> 'better', actor
FROM batch
WHERE type = 'lepton.metric.defined.v1';
