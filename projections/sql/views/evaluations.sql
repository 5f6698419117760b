-- The evaluations of versions.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- name VARCHAR: what the data set is called; empty where nothing was said
-- data JSON: fingerprint of the data: digest, rows, columns; never a value
-- metrics JSON: the figures by name
-- recorded TIMESTAMPTZ: when it was recorded
-- actor VARCHAR: pseudonym of who evaluated
-- seq UBIGINT: the event that recorded it
-- task VARCHAR: what the figures are of: binary, multiclass, regression; null where nobody said
SELECT model, version, name, data, metrics, recorded, actor, seq, task
FROM store.evaluations
WHERE seq <= s
