-- What was seen of versions where they serve, as other services told it.
-- endpoint VARCHAR: where it serves
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- since TIMESTAMPTZ: the beginning of the span
-- until TIMESTAMPTZ: its end
-- rows UBIGINT: predictions in the span
-- name VARCHAR: the figure's name: latency_ms, positive_rate, psi, f1, ...
-- value DOUBLE: the figure over the span
-- recorded TIMESTAMPTZ: when it was recorded
-- seq UBIGINT: the event that recorded it
SELECT endpoint, model, version, since, until, rows, name, value, recorded, seq
FROM store.observations
WHERE seq <= s
