-- The work that was asked for, and what became of it.
-- job VARCHAR: the job's id
-- kind VARCHAR: train, evaluate, ...
-- model VARCHAR: the model it is about
-- status VARCHAR: waiting (for other jobs), queued, assigned, running, finished, failed or cancelled
-- submitted TIMESTAMPTZ: when it was asked for
-- started TIMESTAMPTZ: when a worker first began; null where none has
-- ended TIMESTAMPTZ: when it finished, failed or was cancelled; null where it has not
-- epoch UBIGINT: the attempt that counts; 0 before the first
-- worker VARCHAR: the worker's life that the attempt was given to; null before the first
-- run VARCHAR: the run that tells the last attempt's metrics; null where none does
-- version UBIGINT: the version it made or judged; null where it has not
-- result JSON: what else came of it: figures by name
-- error VARCHAR: name of the error's class where the last attempt was lost or the job failed
-- reason VARCHAR: why it stands as it does, sealed; empty where nothing was said
-- checkpoint_step UBIGINT: the step of its last checkpoint; null where it has none
-- pool VARCHAR: the workers that may take it
-- payload JSON: what was asked, without a place or a value of the data
-- message VARCHAR: what it is for, sealed
-- after VARCHAR[]: the jobs that must have finished before it begins; empty for most
-- actor VARCHAR: pseudonym of who asked for it
-- seq UBIGINT: the event that submitted it
SELECT
    j.job, j.kind, j.model, coalesce(m.last.status, CASE WHEN len(j.after) > 0 THEN 'waiting' ELSE 'queued' END) AS status, j.recorded AS submitted, m.started,
    CASE WHEN m.last.status IN ('finished', 'failed', 'cancelled') THEN m.last.recorded END AS ended,
    coalesce(m.last.epoch, 0::UBIGINT) AS epoch, m.worker, m.run, m.last.version, m.last.result, m.last.error,
    coalesce(m.last.reason, '') AS reason, c.last.step AS checkpoint_step, j.pool, j.payload, j.message, j.after, j.actor, j.seq
FROM store.jobs AS j
LEFT JOIN (
    SELECT
        job, arg_max(x, x.seq) AS last, arg_max(worker, seq) FILTER (worker IS NOT NULL) AS worker,
        arg_max(run, seq) FILTER (run IS NOT NULL) AS run, min(recorded) FILTER (status = 'running') AS started
    FROM store.job_moves AS x WHERE seq <= s GROUP BY job
) AS m ON m.job = j.job
LEFT JOIN (
    SELECT job, arg_max(x, x.seq) AS last FROM store.job_checkpoints AS x WHERE seq <= s GROUP BY job
) AS c ON c.job = j.job
WHERE j.seq <= s
