-- The aliases in use.
-- model VARCHAR: the model's name
-- alias VARCHAR: the alias, such as production
-- version UBIGINT: the version it stands on
-- moved TIMESTAMPTZ: when it came to stand there
-- actor VARCHAR: pseudonym of who put it there
-- seq UBIGINT: the event that did
SELECT model, alias, last.to_version AS version, last.recorded AS moved, last.actor, last.seq
FROM (
    SELECT model, alias, arg_max(m, m.seq) AS last
    FROM store.alias_moves AS m
    WHERE seq <= s
    GROUP BY model, alias
)
WHERE last.kind <> 'deleted'
