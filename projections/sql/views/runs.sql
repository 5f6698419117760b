-- The runs of training scripts.
-- run VARCHAR: the run's id
-- model VARCHAR: the model it trains
-- started TIMESTAMPTZ: when it began
-- finished TIMESTAMPTZ: when it ended; null where it has not, or goes on since
-- status VARCHAR: running, finished, failed or lost
-- error VARCHAR: name of the exception's class where it failed
-- reason VARCHAR: why it ended, sealed; null where it has not
-- points UBIGINT: how many metric points it logged; null where it has not ended
-- checkpoint VARCHAR: manifest digest of its last checkpoint; null where it has none
-- checkpoint_step BIGINT: the step of that checkpoint; null where none was said
-- data JSON: fingerprint of the training data
-- environment JSON: Python, platform and packages
-- code JSON: git commit, dirty flag (null: unknown, `unknown` says why), digest of the uncommitted diff
-- actor VARCHAR: pseudonym of who started it
-- seq UBIGINT: the event that started it
-- name VARCHAR: what people call it; null where they do not
-- tags VARCHAR[]: words that it is found by
-- lost TIMESTAMPTZ: when it was last found to be lost; null where it never was
-- heard TIMESTAMPTZ: when it was heard of last before that
-- resumed TIMESTAMPTZ: when it was last gone on with; null where it never was
SELECT
    r.run, r.model, r.recorded AS started, e.last.recorded AS finished,
    coalesce(e.last.status, CASE WHEN m.lost.seq > coalesce(m.resumed.seq, 0) THEN 'lost' ELSE 'running' END) AS status,
    e.last.error, e.last.reason, e.last.points, c.last.manifest AS checkpoint, c.last.step AS checkpoint_step, r.data,
    r.environment, r.code, r.actor, r.seq, r.name, r.tags, m.lost.recorded AS lost, m.lost.heard,
    m.resumed.recorded AS resumed
FROM store.runs AS r
LEFT JOIN (
    SELECT
        run, arg_max(x, x.seq) FILTER (WHERE x.kind = 'lost') AS lost,
        arg_max(x, x.seq) FILTER (WHERE x.kind = 'resumed') AS resumed
    FROM store.run_moves AS x WHERE seq <= s GROUP BY run
) AS m ON m.run = r.run
LEFT JOIN (
    SELECT run, arg_max(x, x.seq) AS last FROM store.run_ends AS x WHERE seq <= s GROUP BY run
) AS e ON e.run = r.run AND e.last.seq > coalesce(m.resumed.seq, 0)
LEFT JOIN (
    SELECT run, arg_max(x, x.seq) AS last FROM store.run_checkpoints AS x WHERE seq <= s GROUP BY run
) AS c ON c.run = r.run
WHERE r.seq <= s
