-- The data that versions were trained and evaluated on, by fingerprint.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- purpose VARCHAR: training or evaluation
-- name VARCHAR: what an evaluation calls its data; empty for training
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
