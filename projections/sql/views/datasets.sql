-- The data that versions were trained and evaluated on, named data, and what other services told, by fingerprint.
-- model VARCHAR: the model's name; null for named data and what a service told
-- version UBIGINT: the version; null for named data and what a service told
-- purpose VARCHAR: training, evaluation, named or told
-- name VARCHAR: what the data is called by its name, an evaluation or a service; empty for training
-- digest VARCHAR: digest of the data
-- rows UBIGINT: how many rows it has
-- data JSON: the whole fingerprint: digest, rows, columns; never a value
-- recorded TIMESTAMPTZ: when it was recorded
-- seq UBIGINT: the event that recorded it
SELECT
    model, version, purpose, name, data ->> 'digest' AS digest, try_cast(data ->> 'rows' AS UBIGINT) AS rows, data, recorded,
    seq
FROM store.datasets
WHERE seq <= s
