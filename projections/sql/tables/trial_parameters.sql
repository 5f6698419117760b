-- One row for each parameter that was suggested to a trial.
CREATE TABLE store.trial_parameters (
    seq UBIGINT NOT NULL,
    study VARCHAR NOT NULL,
    trial UBIGINT NOT NULL,
    name VARCHAR NOT NULL,
    value JSON NOT NULL
);

INSERT INTO store.trial_parameters
SELECT seq, study, trial, name, json_extract(parameter, '$.value')
FROM (
    SELECT
        seq, stream[7:] AS study, e.trial, unnest(map_keys(e.parameters)) AS name,
        unnest(map_values(e.parameters)) AS parameter
    FROM (
        SELECT seq, stream, from_json(data, '{"trial": "UBIGINT", "parameters": "MAP(VARCHAR, JSON)"}') AS e
        FROM batch
        WHERE type = 'lepton.trial.suggested.v1'
    )
);
