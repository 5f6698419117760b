-- The versions that each version came from.
-- model VARCHAR: the model's name
-- version UBIGINT: the version that came from it
-- parent UBIGINT: the version it came from
-- role VARCHAR: initialised, trained, fine_tuned, pruned, quantised, distilled, merged or derived
-- position UINTEGER: 1 for the first parent named, and so on
-- seq UBIGINT: the event that committed the version
SELECT model, version, parent, role, position, seq
FROM store.version_parents
WHERE seq <= s
