-- One row for each tensor of each page of a manifest. A page may be told twice; readers take the first telling.
CREATE TABLE store.manifest_tensors (
    seq UBIGINT NOT NULL,
    manifest VARCHAR NOT NULL,
    page UINTEGER NOT NULL,
    name VARCHAR NOT NULL,
    dtype VARCHAR NOT NULL,
    shape UBIGINT[] NOT NULL,
    bytes UBIGINT NOT NULL,
    digest VARCHAR NOT NULL
);

INSERT INTO store.manifest_tensors
SELECT
    seq, e.manifest, e.page, unnest(e.names), unnest(e.dtypes), unnest(e.shapes), unnest(e.bytes), unnest(e.digests)
FROM (
    SELECT seq, from_json(data, '{
        "manifest": "VARCHAR", "page": "UINTEGER", "names": ["VARCHAR"], "dtypes": ["VARCHAR"],
        "shapes": [["UBIGINT"]], "bytes": ["UBIGINT"], "digests": ["VARCHAR"]
    }') AS e
    FROM batch
    WHERE type = 'lepton.manifest.written.v1'
);
