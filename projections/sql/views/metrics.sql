-- Every figure of every version and every point that a run logged; the newest is the one with the greatest seq.
-- model VARCHAR: the model's name
-- version UBIGINT: the version; null for a point of a run
-- run VARCHAR: the run; null where a version was made without one
-- name VARCHAR: the metric's name
-- step BIGINT: the step of a run's point; null where none was said
-- value DOUBLE: the figure; NaN and infinities are kept
-- recorded TIMESTAMPTZ: when the ledger recorded it
-- evaluation VARCHAR: what an evaluation calls its data; null where the figure comes from none
-- time TIMESTAMPTZ: when it was measured, as its producer says
-- seq UBIGINT: the event that recorded it
-- figure VARCHAR: what a version's figure is shown as: the name, behind its evaluation's (test/f1) where it is of one
-- rows VARCHAR: digest of the rows that it was measured on; null where they are not known
-- task VARCHAR: what it is a figure of: binary, multiclass, regression; null where nobody said
SELECT model, version, run, name, step, value, recorded, evaluation, time, seq, figure, rows, task
FROM store.metrics
WHERE seq <= s
