-- The hyperparameters of versions and of runs.
-- model VARCHAR: the model's name
-- version UBIGINT: the version they made; null for those of a run
-- run VARCHAR: the run; null where a version was made without one
-- name VARCHAR: the hyperparameter's name
-- value VARCHAR: its value as text, a list or an object as JSON; null where it is none
-- number DOUBLE: its value where it is a number, else null
-- kind VARCHAR: string, number, boolean, array, object or null
-- seq UBIGINT: the event that recorded it
SELECT model, version, run, name, value, number, kind, seq
FROM store.hyperparameters
WHERE seq <= s
