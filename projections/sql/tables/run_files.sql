-- One row for each file that a run logged.
CREATE TABLE store.run_files (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    run VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    media_type VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    bytes UBIGINT NOT NULL,
    step BIGINT
);

INSERT INTO store.run_files
SELECT seq, recorded, stream[5:], data ->> 'name', data ->> 'media_type', data ->> 'digest', (data ->> 'bytes')::UBIGINT,
    (data ->> 'step')::BIGINT
FROM batch
WHERE type = 'lepton.file.logged.v1';
