-- One row for each time that something became of a chain's step.
CREATE TABLE store.chain_moves (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    chain VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    job VARCHAR,
    model VARCHAR,
    version UBIGINT,
    reason VARCHAR NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.chain_moves
SELECT
    seq, recorded, stream[7:], data ->> 'step', data ->> 'job', data ->> 'model',
    try_cast(data ->> 'version' AS UBIGINT), coalesce(data ->> 'reason', ''), actor
FROM batch
WHERE type = 'lepton.chain.advanced.v1';
