-- One row for each version that was committed.
CREATE TABLE store.versions (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    digest VARCHAR NOT NULL,
    branch VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    size UBIGINT NOT NULL,
    tensors UBIGINT NOT NULL,
    parameters UBIGINT NOT NULL,
    keyframe BOOLEAN NOT NULL,
    manifest VARCHAR NOT NULL,
    recipe VARCHAR NOT NULL,
    run VARCHAR,
    architecture JSON,
    settings JSON,
    derivation JSON,
    environment JSON,
    code JSON
);

INSERT INTO store.versions
SELECT
    seq, recorded, stream[7:], e.version, e.digest, e.branch, actor, coalesce(e.message, ''), e.bytes, e.tensor_count,
    e.parameters, e.keyframe, e.tensors, e.recipe, e.run, e.architecture, e.settings, e.derivation, e.environment, e.code
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "version": "UBIGINT", "digest": "VARCHAR", "branch": "VARCHAR", "message": "VARCHAR", "bytes": "UBIGINT",
        "tensor_count": "UBIGINT", "parameters": "UBIGINT", "keyframe": "BOOLEAN", "tensors": "VARCHAR",
        "recipe": "VARCHAR", "run": "VARCHAR", "architecture": "JSON", "settings": "JSON", "derivation": "JSON",
        "environment": "JSON", "code": "JSON"
    }') AS e
    FROM batch
    WHERE type = 'lepton.version.committed.v2'
);
