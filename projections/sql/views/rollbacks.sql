-- Every rollback, of branches and of aliases.
-- model VARCHAR: the model's name
-- kind VARCHAR: branch or alias
-- name VARCHAR: the branch or alias that was rolled back
-- from_version UBIGINT: where it stood before
-- to_version UBIGINT: where it was put
-- replayed VARCHAR[]: digests of the deltas that the restore replayed, in order
-- recorded TIMESTAMPTZ: when it was recorded
-- actor VARCHAR: pseudonym of who asked for it
-- reason VARCHAR: the reason, sealed; empty where none was given
-- seq UBIGINT: the event that recorded it
SELECT model, 'branch' AS kind, branch AS name, from_version, to_version, replayed, recorded, actor, reason, seq
FROM (
    SELECT *, lag(to_version) OVER (PARTITION BY model, branch ORDER BY seq) AS from_version
    FROM store.branch_moves
    WHERE seq <= s
)
WHERE kind = 'rolled_back'
UNION ALL
SELECT model, 'alias' AS kind, alias AS name, from_version, to_version, replayed, recorded, actor, reason, seq
FROM store.alias_moves
WHERE seq <= s AND kind = 'rolled_back'
