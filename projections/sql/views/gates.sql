-- The gates that were judged: versions held against requirements on their figures.
-- model VARCHAR: the model's name
-- version UBIGINT: the version that was judged
-- against UBIGINT: the version that `against.` stands for; null where there was none
-- parent UBIGINT: the version that `parent.` stands for; null where no requirement named it
-- name VARCHAR: what the evaluation is called that bare names are figures of; empty where nothing was said
-- passed BOOLEAN: whether every requirement was met
-- requirements JSON: each requirement's text, and whether it holds; null where a figure is missing
-- metrics JSON: the version's figures, by the names in the requirements
-- metrics_against JSON: those of `against.`
-- metrics_parent JSON: those of `parent.`
-- rows VARCHAR[]: digests of the rows that the figures are of
-- suite VARCHAR: the suite that asked for it; null where none did
-- suite_version UBIGINT: that suite's version; null where none asked
-- recorded TIMESTAMPTZ: when it was judged
-- actor VARCHAR: pseudonym of who had it judged
-- seq UBIGINT: the event that recorded it
SELECT
    model, version, against, parent, name, passed, requirements, metrics, metrics_against, metrics_parent, rows, suite,
    suite_version, recorded, actor, seq
FROM store.gates
WHERE seq <= s
