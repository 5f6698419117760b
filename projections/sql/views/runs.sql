-- The runs of training scripts.
-- run VARCHAR: the run's id
-- model VARCHAR: the model it trains
-- started TIMESTAMPTZ: when it began
-- finished TIMESTAMPTZ: when it ended; null where it has not
-- status VARCHAR: running, finished or failed
-- error VARCHAR: name of the exception's class where it failed
-- reason VARCHAR: why it ended, sealed; null where it has not
-- points UBIGINT: how many metric points it logged; null where it has not ended
-- checkpoint VARCHAR: manifest digest of its last checkpoint; null where it has none
-- checkpoint_step BIGINT: the step of that checkpoint; null where none was said
-- data JSON: fingerprint of the training data
-- environment JSON: Python, platform and packages
-- code JSON: git commit, dirty flag and digest of the uncommitted diff
-- actor VARCHAR: pseudonym of who started it
-- seq UBIGINT: the event that started it
SELECT
    r.run, r.model, r.recorded AS started, e.last.recorded AS finished, coalesce(e.last.status, 'running') AS status,
    e.last.error, e.last.reason, e.last.points, c.last.manifest AS checkpoint, c.last.step AS checkpoint_step, r.data,
    r.environment, r.code, r.actor, r.seq
FROM store.runs AS r
LEFT JOIN (
    SELECT run, arg_max(x, x.seq) AS last FROM store.run_ends AS x WHERE seq <= s GROUP BY run
) AS e ON e.run = r.run
LEFT JOIN (
    SELECT run, arg_max(x, x.seq) AS last FROM store.run_checkpoints AS x WHERE seq <= s GROUP BY run
) AS c ON c.run = r.run
WHERE r.seq <= s
