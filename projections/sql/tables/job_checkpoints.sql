-- One row for each checkpoint of a job.
CREATE TABLE store.job_checkpoints (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    job VARCHAR NOT NULL,
    epoch UBIGINT NOT NULL,
    step UBIGINT NOT NULL,
    manifest VARCHAR NOT NULL
);

INSERT INTO store.job_checkpoints
SELECT seq, recorded, stream[5:], e.epoch, e.step, e.tensors
FROM (
    SELECT seq, recorded, stream, from_json(data, '{
        "epoch": "UBIGINT", "step": "UBIGINT", "tensors": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type = 'lepton.job.checkpointed.v1'
);
