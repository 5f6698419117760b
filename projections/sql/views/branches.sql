-- The branches that are alive.
-- model VARCHAR: the model's name
-- branch VARCHAR: the branch
-- version UBIGINT: its head
-- moved TIMESTAMPTZ: when it came to stand there
-- actor VARCHAR: pseudonym of who put it there
-- seq UBIGINT: the event that did
SELECT model, branch, last.to_version AS version, last.recorded AS moved, last.actor, last.seq
FROM (
    SELECT model, branch, arg_max(m, m.seq) AS last
    FROM store.branch_moves AS m
    WHERE seq <= s
    GROUP BY model, branch
)
WHERE last.kind <> 'deleted'
