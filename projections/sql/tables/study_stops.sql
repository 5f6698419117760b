-- One row for each time a study's search was stopped, or gone on with.
CREATE TABLE store.study_stops (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    study VARCHAR NOT NULL,
    stopped BOOLEAN NOT NULL
);

INSERT INTO store.study_stops
SELECT seq, recorded, stream[7:], type = 'lepton.study.stopped.v1'
FROM batch
WHERE type IN ('lepton.study.stopped.v1', 'lepton.study.resumed.v1');
