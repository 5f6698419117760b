-- The tags in use.
-- model VARCHAR: the model's name
-- tag VARCHAR: the tag
-- version UBIGINT: the version it is bound to
-- created TIMESTAMPTZ: when it was bound
-- actor VARCHAR: pseudonym of who bound it
-- seq UBIGINT: the event that did
SELECT model, tag, last.version, last.recorded AS created, last.actor, last.seq
FROM (
    SELECT model, tag, arg_max(m, m.seq) AS last
    FROM store.tag_moves AS m
    WHERE seq <= s
    GROUP BY model, tag
)
WHERE last.version IS NOT NULL
