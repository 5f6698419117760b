-- One row for each trial that joined a study.
CREATE TABLE store.trials (
    seq UBIGINT NOT NULL,
    study VARCHAR NOT NULL,
    trial UBIGINT NOT NULL,
    status VARCHAR NOT NULL,
    started TIMESTAMPTZ
);

INSERT INTO store.trials
SELECT
    seq, stream[7:], e.trial, e.status,
    coalesce(store.moment(e.started), CASE WHEN e.status = 'running' THEN time END)
FROM (
    SELECT seq, time, stream, from_json(data, '{
        "trial": "UBIGINT", "status": "VARCHAR", "started": "TIMESTAMPTZ"
    }') AS e
    FROM batch
    WHERE type = 'lepton.trial.begun.v1'
);
