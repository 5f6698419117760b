-- One row for each time that rows were given a name, or were told of again.
CREATE TABLE store.named_data (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    name VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    data JSON NOT NULL,
    label VARCHAR,
    profile JSON,
    kept VARCHAR,
    bytes UBIGINT,
    message VARCHAR NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.named_data
SELECT
    seq, recorded, stream[6:], e.version, e.data, e.label, e.profile, e.kept, e.bytes, coalesce(e.message, ''), actor
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "version": "UBIGINT", "data": "JSON", "label": "VARCHAR", "profile": "JSON", "kept": "VARCHAR",
        "bytes": "UBIGINT", "message": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type = 'lepton.data.named.v1'
);
