-- Each note put on a version, or taken off (kind 'null').
CREATE TABLE store.annotations (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR,
    number DOUBLE,
    kind VARCHAR NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.annotations
SELECT seq, recorded, model, version, name, store.json_text(value, kind), store.json_number(value, kind), kind, actor
FROM (
    SELECT *, store.json_kind(value) AS kind
    FROM (
        SELECT
            seq, recorded, model, actor, e.version, unnest(map_keys(e.annotations)) AS name,
            unnest(map_values(e.annotations)) AS value
        FROM (
            SELECT seq, recorded, stream[7:] AS model, actor, from_json(data, '{
                "version": "UBIGINT", "annotations": "MAP(VARCHAR, JSON)"
            }') AS e
            FROM batch
            WHERE type = 'lepton.version.annotated.v1'
        )
    )
);
