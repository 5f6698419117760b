-- Events that hold a value which the views cannot hold, such as a number of more than 64 bits: they stand in `events`, and in no other view. New events cannot hold such values.
-- seq UBIGINT: the event's place in the log
-- type VARCHAR: its type
-- stream VARCHAR: what it happened to
-- reason VARCHAR: the table that cannot hold it, and why
-- recorded TIMESTAMPTZ: when the ledger recorded it
SELECT seq, type, stream, reason, recorded
FROM store.unprojected
WHERE seq <= s
