-- One row for each parent of each version, numbered: those of its own model first, in the order they were named.
CREATE TABLE store.version_parents (
    seq UBIGINT NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    position UINTEGER NOT NULL,
    parent_model VARCHAR NOT NULL,
    parent UBIGINT NOT NULL,
    role VARCHAR NOT NULL
);

INSERT INTO store.version_parents
SELECT seq, model, version, position, p.model, p.version, p.role
FROM (
    SELECT seq, model, e.version, unnest(e.parents) AS p, generate_subscripts(e.parents, 1) AS position
    FROM (
        SELECT seq, stream[7:] AS model, from_json(data, '{
            "version": "UBIGINT", "parents": [{"model": "VARCHAR", "version": "UBIGINT", "role": "VARCHAR"}]
        }') AS e
        FROM batch
        WHERE type = 'lepton.version.committed.v2'
    )
);
