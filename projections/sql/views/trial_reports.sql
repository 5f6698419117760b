-- The values that trials told on their way, by which they may be pruned.
-- study VARCHAR: the study's name
-- trial UBIGINT: the trial's number within its study
-- step BIGINT: the step; a later value of the same step counts
-- value DOUBLE: the value
-- recorded TIMESTAMPTZ: when it was told
-- seq UBIGINT: the event that told it
SELECT study, trial, step, value, recorded, seq
FROM store.trial_reports
WHERE seq <= s
