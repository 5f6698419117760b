-- The definitions of suites: each is a version of its suite, the last one counts.
-- suite VARCHAR: the suite's name
-- version UBIGINT: which of its definitions it is, from 1
-- model VARCHAR: the model that it watches; null where it watches none
-- branch VARCHAR: the branch whose new versions it judges by itself; null where it watches none
-- digest VARCHAR: digest of the rows that versions are judged on
-- rows UBIGINT: how many rows these are
-- named VARCHAR: the named data that they are, with its version; empty where they lie elsewhere
-- label VARCHAR: the column of labels
-- evaluation VARCHAR: what its evaluations are called
-- metrics VARCHAR[]: the figures that it reports; all where none is named
-- requirements VARCHAR[]: what a version must come to, as docs/expressions.md has it
-- against VARCHAR: the alias, branch or tag that `against.` stands for; null where nothing does
-- defined TIMESTAMPTZ: when it was defined
-- retired TIMESTAMPTZ: when the suite was retired, of its last definition; null where it judges, or was defined again
-- actor VARCHAR: pseudonym of who defined it
-- message VARCHAR: what it is for, sealed
-- seq UBIGINT: the event that defined it
SELECT
    d.suite, row_number() OVER (PARTITION BY d.suite ORDER BY d.seq)::UBIGINT AS version, d.model, d.branch,
    d.data ->> 'digest' AS digest, try_cast(d.data ->> 'rows' AS UBIGINT) AS rows, d.named, d.label, d.evaluation,
    d.metrics, d.requirements, d.against, d.recorded AS defined,
    CASE WHEN lead(d.seq) OVER (PARTITION BY d.suite ORDER BY d.seq) IS NULL THEN r.retired END AS retired,
    d.actor, d.message, d.seq
FROM store.suites AS d
LEFT JOIN (
    SELECT suite, max(seq) AS seq, arg_max(recorded, seq) AS retired
    FROM store.suite_retirements WHERE seq <= s GROUP BY suite
) AS r ON r.suite = d.suite AND r.seq > d.seq
WHERE d.seq <= s
