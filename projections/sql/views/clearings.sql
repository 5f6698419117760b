-- Versions that were rolled back from and may be suggested again.
-- model VARCHAR: the model's name
-- version UBIGINT: the version
-- recorded TIMESTAMPTZ: when it was cleared
-- actor VARCHAR: pseudonym of who cleared it
-- reason VARCHAR: the reason, sealed
-- seq UBIGINT: the event that recorded it
SELECT model, version, recorded, actor, reason, seq
FROM store.clearings
WHERE seq <= s
