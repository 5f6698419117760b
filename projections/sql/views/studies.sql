-- The studies: searches for the best hyperparameters, a row each time one was created.
-- study VARCHAR: the study's name
-- model VARCHAR: the model that it is for; null where it is for none
-- directions VARCHAR[]: which way each objective is better, minimize or maximize
-- trials UBIGINT: how many trials it has
-- complete UBIGINT: how many of them came to values
-- created TIMESTAMPTZ: when it was created
-- deleted TIMESTAMPTZ: when it was deleted with its trials; null where it stands
-- stopped TIMESTAMPTZ: when its search was stopped; null where it was not, or is gone on with
-- search JSON: what Lepton searches by: metrics, space, sampler, pruner, data; an empty object where others do
-- attributes JSON: what was noted of it, by name
-- actor VARCHAR: pseudonym of who created it
-- seq UBIGINT: the event that created it, which is its id
SELECT
    c.study, c.model, c.directions, coalesce(t.trials, 0)::UBIGINT AS trials,
    coalesce(t.complete, 0)::UBIGINT AS complete, c.recorded AS created, d.deleted,
    CASE WHEN w.last.stopped THEN w.last.recorded END AS stopped, c.search,
    coalesce(a.attributes, '{}')::JSON AS attributes, c.actor, c.seq
FROM store.studies AS c
LEFT JOIN (
    SELECT b.seq, min(x.recorded) AS deleted
    FROM (FROM store.study_deletions WHERE seq <= s) AS x
    ASOF JOIN (SELECT study, seq FROM store.studies WHERE seq <= s) AS b ON b.study = x.study AND b.seq <= x.seq
    GROUP BY b.seq
) AS d ON d.seq = c.seq
LEFT JOIN (
    SELECT b.seq, arg_max(x, x.seq) AS last
    FROM (FROM store.study_stops WHERE seq <= s) AS x
    ASOF JOIN (SELECT study, seq FROM store.studies WHERE seq <= s) AS b ON b.study = x.study AND b.seq <= x.seq
    GROUP BY b.seq
) AS w ON w.seq = c.seq
LEFT JOIN (
    SELECT b.seq, count(*) AS trials, count(*) FILTER (WHERE e.ended = 'complete') AS complete
    FROM (FROM store.trials WHERE seq <= s) AS x
    ASOF JOIN (SELECT study, seq FROM store.studies WHERE seq <= s) AS b ON b.study = x.study AND b.seq <= x.seq
    LEFT JOIN (
        SELECT y.seq, arg_max(m.status, m.seq) AS ended
        FROM (FROM store.trial_moves WHERE seq <= s) AS m
        ASOF JOIN (FROM store.trials WHERE seq <= s) AS y
            ON y.study = m.study AND y.trial = m.trial AND y.seq <= m.seq
        GROUP BY y.seq
    ) AS e ON e.seq = x.seq
    GROUP BY b.seq
) AS t ON t.seq = c.seq
LEFT JOIN (
    SELECT seq, to_json(map_from_entries(list((name, value) ORDER BY name))) AS attributes
    FROM (
        SELECT b.seq, x.name, arg_max(x.value, x.seq) AS value
        FROM (FROM store.study_attributes WHERE seq <= s AND trial IS NULL) AS x
        ASOF JOIN (SELECT study, seq FROM store.studies WHERE seq <= s) AS b ON b.study = x.study AND b.seq <= x.seq
        GROUP BY b.seq, x.name
    )
    GROUP BY seq
) AS a ON a.seq = c.seq
WHERE c.seq <= s
