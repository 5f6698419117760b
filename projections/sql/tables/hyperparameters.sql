-- One row for each hyperparameter of each version and of each run.
CREATE TABLE store.hyperparameters (
    seq UBIGINT NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT,
    run VARCHAR,
    name VARCHAR NOT NULL,
    value VARCHAR,
    number DOUBLE,
    kind VARCHAR NOT NULL
);

INSERT INTO store.hyperparameters
SELECT seq, model, version, run, name, store.json_text(value, kind), store.json_number(value, kind), kind
FROM (
    SELECT *, store.json_kind(value) AS kind
    FROM (
        SELECT
            seq, coalesce(e.model, stream[7:]) AS model, e.version, e.run, unnest(map_keys(e.hyperparameters)) AS name,
            unnest(map_values(e.hyperparameters)) AS value
        FROM (
            SELECT seq, stream, from_json(data, '{
                "model": "VARCHAR", "version": "UBIGINT", "run": "VARCHAR", "hyperparameters": "MAP(VARCHAR, JSON)"
            }') AS e
            FROM batch
            WHERE type IN ('lepton.version.committed.v2', 'lepton.run.started.v1')
        )
    )
);
