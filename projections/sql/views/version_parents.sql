-- The versions that each version came from.
-- model VARCHAR: the model's name
-- version UBIGINT: the version that came from it
-- parent_model VARCHAR: the model of the version it came from: its own, or another
-- parent UBIGINT: the version it came from
-- role VARCHAR: trained, fine_tuned, merged, distilled, teacher, base, or any other label that it was given
-- position UINTEGER: 1 for the first parent, and so on; those of its own model come first
-- seq UBIGINT: the event that committed the version
SELECT model, version, parent_model, parent, role, position, seq
FROM store.version_parents
WHERE seq <= s
