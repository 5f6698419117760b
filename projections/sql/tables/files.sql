-- One row for each file kept beside a version's parameters.
CREATE TABLE store.files (
    seq UBIGINT NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    name VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    bytes UBIGINT NOT NULL
);

INSERT INTO store.files
SELECT seq, model, version, f.name, f.digest, f.bytes
FROM (
    SELECT seq, model, e.version, unnest(e.files) AS f
    FROM (
        SELECT seq, stream[7:] AS model, from_json(data, '{
            "version": "UBIGINT", "files": [{"name": "VARCHAR", "digest": "VARCHAR", "bytes": "UBIGINT"}]
        }') AS e
        FROM batch
        WHERE type = 'lepton.version.committed.v2'
    )
);
