-- One row for each time a study was deleted.
CREATE TABLE store.study_deletions (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    study VARCHAR NOT NULL
);

INSERT INTO store.study_deletions
SELECT seq, recorded, stream[7:]
FROM batch
WHERE type = 'lepton.study.deleted.v1';
