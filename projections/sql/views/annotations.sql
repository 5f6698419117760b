-- The notes on versions; a note that was taken off is not here.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- name VARCHAR: the note's name
-- value VARCHAR: its value as text
-- number DOUBLE: its value where it is a number, else null
-- kind VARCHAR: string, number or boolean
-- annotated TIMESTAMPTZ: when it was put there
-- actor VARCHAR: pseudonym of who put it there
-- seq UBIGINT: the event that did
SELECT model, version, name, last.value, last.number, last.kind, last.recorded AS annotated, last.actor, last.seq
FROM (
    SELECT model, version, name, arg_max(a, a.seq) AS last
    FROM store.annotations AS a
    WHERE seq <= s
    GROUP BY model, version, name
)
WHERE last.kind <> 'null'
