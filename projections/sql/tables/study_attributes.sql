-- One row for each attribute that people set of a study, or of a trial.
CREATE TABLE store.study_attributes (
    seq UBIGINT NOT NULL,
    study VARCHAR NOT NULL,
    trial UBIGINT,
    name VARCHAR NOT NULL,
    value JSON NOT NULL
);

INSERT INTO store.study_attributes
SELECT seq, stream[7:], e.trial, unnest(map_keys(e.user)), unnest(map_values(e.user))
FROM (
    SELECT seq, stream, from_json(data, '{"trial": "UBIGINT", "user": "MAP(VARCHAR, JSON)"}') AS e
    FROM batch
    WHERE type IN ('lepton.study.annotated.v1', 'lepton.trial.annotated.v1')
);
