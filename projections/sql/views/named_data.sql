-- The names that rows were given, a row for each version of a name.
-- name VARCHAR: the name
-- version UBIGINT: which rows of that name, counted from 1
-- digest VARCHAR: digest of the rows, as evaluations on them bear it
-- rows UBIGINT: how many rows they are
-- label VARCHAR: the column that holds the labels, null where none does
-- profile JSON: counts, rounded quantiles and common levels a column; never the value of one row
-- kept VARCHAR: digest of what the object store keeps of them, null where it keeps none
-- bytes UBIGINT: what it keeps of them
-- message VARCHAR: what they are for, sealed
-- actor VARCHAR: pseudonym of who told of them last
-- data JSON: the whole fingerprint: digest, rows, columns; never a value
-- recorded TIMESTAMPTZ: when they were told of last
-- seq UBIGINT: the event that told of them last
SELECT
    name, version, data ->> 'digest' AS digest, try_cast(data ->> 'rows' AS UBIGINT) AS rows, label, profile, kept,
    bytes, message, actor, data, recorded, seq
FROM store.named_data
WHERE seq <= s
QUALIFY row_number() OVER (PARTITION BY name, version ORDER BY seq DESC) = 1
