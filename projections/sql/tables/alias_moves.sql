-- Each time an alias came to stand on a version, or on none.
CREATE TABLE store.alias_moves (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    alias VARCHAR NOT NULL,
    from_version UBIGINT,
    to_version UBIGINT,
    kind VARCHAR NOT NULL,
    replayed VARCHAR[],
    actor VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    gate UBIGINT,
    override BOOLEAN NOT NULL
);

INSERT INTO store.alias_moves
SELECT
    seq,
    recorded,
    stream[7:],
    e.alias,
    e.from_version,
    e.to_version,
    CASE type
        WHEN 'lepton.alias.moved.v1' THEN 'moved'
        WHEN 'lepton.alias.rolled_back.v1' THEN 'rolled_back'
        WHEN 'lepton.alias.deleted.v1' THEN 'deleted'
    END,
    CASE WHEN type = 'lepton.alias.rolled_back.v1' THEN coalesce(e.replayed, []) END,
    actor,
    coalesce(e.reason, ''),
    e.gate,
    coalesce(e.override, false)
FROM (
    SELECT seq, recorded, stream, type, actor, from_json(data, '{
        "alias": "VARCHAR", "from_version": "UBIGINT", "to_version": "UBIGINT", "replayed": ["VARCHAR"],
        "reason": "VARCHAR", "gate": "UBIGINT", "override": "BOOLEAN"
    }') AS e
    FROM batch
    WHERE type IN ('lepton.alias.moved.v1', 'lepton.alias.rolled_back.v1', 'lepton.alias.deleted.v1')
);
