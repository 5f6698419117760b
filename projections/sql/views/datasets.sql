-- The data that versions were trained and evaluated on, and what other services told of data, by fingerprint.
-- model VARCHAR: the model's name; null where a service told of the data
-- version UBIGINT: the version; null where a service told of the data
-- purpose VARCHAR: training, evaluation or told
-- name VARCHAR: what an evaluation or a service calls the data; empty for training
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
