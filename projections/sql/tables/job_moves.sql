-- One row for each step of a job from one status to the next.
CREATE TABLE store.job_moves (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    job VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    epoch UBIGINT NOT NULL,
    worker VARCHAR,
    run VARCHAR,
    version UBIGINT,
    result JSON,
    error VARCHAR,
    reason VARCHAR NOT NULL
);

INSERT INTO store.job_moves
SELECT
    seq, recorded, stream[5:],
    CASE type
        WHEN 'lepton.job.released.v1' THEN 'queued'
        WHEN 'lepton.job.assigned.v1' THEN 'assigned'
        WHEN 'lepton.job.started.v1' THEN 'running'
        WHEN 'lepton.job.requeued.v1' THEN 'queued'
        WHEN 'lepton.job.finished.v1' THEN 'finished'
        WHEN 'lepton.job.failed.v1' THEN 'failed'
        WHEN 'lepton.job.cancelled.v1' THEN 'cancelled'
    END,
    coalesce(e.epoch, 0::UBIGINT), e.worker, e.run, e.version, e.result, e.error, coalesce(e.reason, '')
FROM (
    SELECT seq, recorded, stream, type, from_json(data, '{
        "epoch": "UBIGINT", "worker": "VARCHAR", "run": "VARCHAR", "version": "UBIGINT", "result": "JSON",
        "error": "VARCHAR", "reason": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type IN (
        'lepton.job.released.v1', 'lepton.job.assigned.v1', 'lepton.job.started.v1', 'lepton.job.requeued.v1',
        'lepton.job.finished.v1', 'lepton.job.failed.v1', 'lepton.job.cancelled.v1'
    )
);
