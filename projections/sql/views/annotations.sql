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
SELECT model, version, name, value, number, kind, recorded AS annotated, actor, seq
FROM store.annotations
JOIN (
    SELECT model, version, name, max(seq) AS seq
    FROM store.annotations
    WHERE seq <= s
    GROUP BY model, version, name
) USING (model, version, name, seq)
WHERE kind <> 'null'
