-- The trials of studies: each tried one choice of hyperparameters.
-- study VARCHAR: the study's name
-- trial UBIGINT: the trial's number within its study, from 0
-- status VARCHAR: waiting, running, complete, pruned or failed
-- values DOUBLE[]: its objectives in order; null where it came to none
-- parameters JSON: what was tried, by name
-- steps UBIGINT: for how many steps it told a value on its way
-- attributes JSON: what was noted of it, by name
-- started TIMESTAMPTZ: when it began to run; null where it waits
-- ended TIMESTAMPTZ: when it ended; null where it did not
-- created UBIGINT: the event that created its study: deleted, and created again, a study begins anew
-- seq UBIGINT: the event that began it, which is its id
SELECT
    t.study, t.trial, coalesce(m.last.status, t.status) AS status,
    CASE WHEN m.last.status IN ('complete', 'pruned', 'failed') THEN m.last.values END AS values,
    coalesce(p.parameters, '{}')::JSON AS parameters, coalesce(r.steps, 0)::UBIGINT AS steps,
    coalesce(a.attributes, '{}')::JSON AS attributes, coalesce(m.started, t.started) AS started,
    CASE WHEN m.last.status IN ('complete', 'pruned', 'failed') THEN m.last.moved END AS ended, t.created, t.seq
FROM (
    SELECT x.*, b.seq AS created
    FROM (FROM store.trials WHERE seq <= s) AS x
    ASOF LEFT JOIN (SELECT study, seq FROM store.studies WHERE seq <= s) AS b
        ON b.study = x.study AND b.seq <= x.seq
) AS t
LEFT JOIN (
    SELECT
        y.seq, arg_max(x, x.seq) AS last, arg_max(x.moved, x.seq) FILTER (WHERE x.status = 'running') AS started
    FROM (FROM store.trial_moves WHERE seq <= s) AS x
    ASOF JOIN (FROM store.trials WHERE seq <= s) AS y ON y.study = x.study AND y.trial = x.trial AND y.seq <= x.seq
    GROUP BY y.seq
) AS m ON m.seq = t.seq
LEFT JOIN (
    SELECT seq, to_json(map_from_entries(list((name, value) ORDER BY name))) AS parameters
    FROM (
        SELECT y.seq, x.name, arg_max(x.value, x.seq) AS value
        FROM (FROM store.trial_parameters WHERE seq <= s) AS x
        ASOF JOIN (FROM store.trials WHERE seq <= s) AS y
            ON y.study = x.study AND y.trial = x.trial AND y.seq <= x.seq
        GROUP BY y.seq, x.name
    )
    GROUP BY seq
) AS p ON p.seq = t.seq
LEFT JOIN (
    SELECT y.seq, count(DISTINCT x.step) AS steps
    FROM (FROM store.trial_reports WHERE seq <= s) AS x
    ASOF JOIN (FROM store.trials WHERE seq <= s) AS y ON y.study = x.study AND y.trial = x.trial AND y.seq <= x.seq
    GROUP BY y.seq
) AS r ON r.seq = t.seq
LEFT JOIN (
    SELECT seq, to_json(map_from_entries(list((name, value) ORDER BY name))) AS attributes
    FROM (
        SELECT y.seq, x.name, arg_max(x.value, x.seq) AS value
        FROM (FROM store.study_attributes WHERE seq <= s AND trial IS NOT NULL) AS x
        ASOF JOIN (FROM store.trials WHERE seq <= s) AS y
            ON y.study = x.study AND y.trial = x.trial AND y.seq <= x.seq
        GROUP BY y.seq, x.name
    )
    GROUP BY seq
) AS a ON a.seq = t.seq
