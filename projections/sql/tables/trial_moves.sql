-- One row for each time a trial was started, put back in the queue, or ended.
CREATE TABLE store.trial_moves (
    seq UBIGINT NOT NULL,
    study VARCHAR NOT NULL,
    trial UBIGINT NOT NULL,
    status VARCHAR NOT NULL,
    values DOUBLE[],
    moved TIMESTAMPTZ NOT NULL
);

INSERT INTO store.trial_moves
SELECT
    seq, stream[7:], e.trial,
    CASE type
        WHEN 'lepton.trial.started.v1' THEN 'running'
        WHEN 'lepton.trial.queued.v1' THEN 'waiting'
        ELSE e.status
    END,
    e.values, coalesce(store.moment(e.ended), time)
FROM (
    SELECT seq, time, type, stream, from_json(data, '{
        "trial": "UBIGINT", "status": "VARCHAR", "values": ["DOUBLE"], "ended": "TIMESTAMPTZ"
    }') AS e
    FROM batch
    WHERE type IN ('lepton.trial.started.v1', 'lepton.trial.queued.v1', 'lepton.trial.ended.v1')
);
