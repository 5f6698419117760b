-- The files kept beside versions.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- name VARCHAR: the file's name
-- digest VARCHAR: digest of its bytes
-- bytes UBIGINT: its size
-- seq UBIGINT: the event that committed the version
SELECT model, version, name, digest, bytes, seq
FROM store.files
WHERE seq <= s
