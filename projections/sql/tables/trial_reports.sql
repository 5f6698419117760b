-- One row for each value that a trial told on its way.
CREATE TABLE store.trial_reports (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    study VARCHAR NOT NULL,
    trial UBIGINT NOT NULL,
    step BIGINT NOT NULL,
    value DOUBLE NOT NULL
);

INSERT INTO store.trial_reports
SELECT seq, recorded, study, trial, step, value
FROM (
    SELECT
        seq, recorded, stream[7:] AS study, e.trial, unnest(e.steps) AS step, unnest(e.values) AS value
    FROM (
        SELECT seq, recorded, stream, from_json(data, '{
            "trial": "UBIGINT", "steps": ["BIGINT"], "values": ["DOUBLE"]
        }') AS e
        FROM batch
        WHERE type = 'lepton.trial.reported.v1'
    )
)
WHERE step IS NOT NULL AND value IS NOT NULL;
