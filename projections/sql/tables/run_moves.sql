-- One row for each time a run was found to be lost, and each time it was resumed.
CREATE TABLE store.run_moves (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    run VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    heard TIMESTAMPTZ
);

INSERT INTO store.run_moves
SELECT
    seq, recorded, stream[5:], CASE type WHEN 'lepton.run.lost.v1' THEN 'lost' ELSE 'resumed' END,
    (data ->> 'heard')::TIMESTAMPTZ
FROM batch
WHERE type IN ('lepton.run.lost.v1', 'lepton.run.resumed.v1');
