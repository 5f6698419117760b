-- What runs kept on their way, without making versions.
-- run VARCHAR: the run's id
-- model VARCHAR: the model it trains
-- step BIGINT: the step it was kept at; null where none was said
-- manifest VARCHAR: digest of its manifest
-- recorded TIMESTAMPTZ: when it was recorded
-- seq UBIGINT: the event that recorded it
SELECT c.run, r.model, c.step, c.manifest, c.recorded, c.seq
FROM store.run_checkpoints AS c
LEFT JOIN store.runs AS r ON r.run = c.run
WHERE c.seq <= s
