-- The tensors of each version.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- name VARCHAR: the tensor's name
-- dtype VARCHAR: its type by torch's name, such as float32
-- shape UBIGINT[]: its dimensions; empty for a scalar
-- bytes UBIGINT: its raw size
-- digest VARCHAR: blake3 of its raw bytes
SELECT v.model, v.version, t.name, t.dtype, t.shape, t.bytes, t.digest
FROM store.versions AS v
JOIN (
    SELECT *
    FROM store.manifest_tensors
    WHERE seq <= s
    QUALIFY seq = min(seq) OVER (PARTITION BY manifest, page)
) AS t ON t.manifest = v.manifest
WHERE v.seq <= s
