-- Each time a branch came to stand on a version, or on none.
CREATE TABLE store.branch_moves (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    branch VARCHAR NOT NULL,
    to_version UBIGINT,
    kind VARCHAR NOT NULL,
    replayed VARCHAR[],
    actor VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

INSERT INTO store.branch_moves
SELECT
    seq,
    recorded,
    stream[7:],
    e.branch,
    CASE type
        WHEN 'lepton.branch.rolled_back.v1' THEN e.to_version
        WHEN 'lepton.branch.deleted.v1' THEN NULL
        ELSE e.version
    END,
    CASE type
        WHEN 'lepton.branch.created.v1' THEN 'created'
        WHEN 'lepton.branch.rolled_back.v1' THEN 'rolled_back'
        WHEN 'lepton.branch.deleted.v1' THEN 'deleted'
        WHEN 'lepton.version.committed.v2'
            THEN CASE WHEN len(list_filter(e.parents, lambda p: p.model = stream[7:])) > 1 THEN 'merged' ELSE 'committed' END
    END,
    CASE WHEN type = 'lepton.branch.rolled_back.v1' THEN coalesce(e.replayed, []) END,
    actor,
    coalesce(e.reason, e.message, '')
FROM (
    SELECT seq, recorded, stream, type, actor, from_json(data, '{
        "branch": "VARCHAR", "version": "UBIGINT", "to_version": "UBIGINT", "parents": [{"model": "VARCHAR"}],
        "replayed": ["VARCHAR"], "message": "VARCHAR", "reason": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type IN (
        'lepton.branch.created.v1', 'lepton.version.committed.v2', 'lepton.branch.rolled_back.v1',
        'lepton.branch.deleted.v1'
    )
);
