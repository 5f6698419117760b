-- Every move of every branch.
-- model VARCHAR: the model's name
-- branch VARCHAR: the branch that moved
-- seq UBIGINT: the event that moved it
-- recorded TIMESTAMPTZ: when it moved
-- from_version UBIGINT: where it stood before; null where it did not exist
-- to_version UBIGINT: where it stands after; null where it was deleted
-- kind VARCHAR: created (also by a first commit), committed, merged, rolled_back or deleted
-- actor VARCHAR: pseudonym of who moved it
-- reason VARCHAR: the reason or the commit's message, sealed; empty where none was given
SELECT
    model, branch, seq, recorded, from_version, to_version,
    CASE WHEN kind = 'committed' AND from_version IS NULL THEN 'created' ELSE kind END AS kind, actor, reason
FROM (
    SELECT *, lag(to_version) OVER (PARTITION BY model, branch ORDER BY seq) AS from_version
    FROM store.branch_moves
    WHERE seq <= s
)
