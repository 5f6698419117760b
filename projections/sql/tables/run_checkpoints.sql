-- One row for each checkpoint of a run.
CREATE TABLE store.run_checkpoints (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    run VARCHAR NOT NULL,
    manifest VARCHAR NOT NULL,
    step BIGINT
);

INSERT INTO store.run_checkpoints
SELECT seq, recorded, stream[5:], data ->> 'tensors', (data ->> 'step')::BIGINT
FROM batch
WHERE type = 'lepton.run.checkpointed.v1';
