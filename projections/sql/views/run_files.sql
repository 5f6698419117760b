-- The files that runs logged; of two of one name and step the later one.
-- run VARCHAR: the run's id
-- model VARCHAR: the model it trains
-- name VARCHAR: the file's name
-- step BIGINT: the step it was logged at; null where none was said
-- media_type VARCHAR: what it is, by the ending of its name
-- bytes UBIGINT: its size
-- digest VARCHAR: digest of its bytes
-- recorded TIMESTAMPTZ: when it was recorded
-- seq UBIGINT: the event that recorded it
SELECT f.run, r.model, f.name, f.step, f.last.media_type, f.last.bytes, f.last.digest, f.last.recorded, f.last.seq
FROM (
    SELECT run, name, step, arg_max(x, x.seq) AS last
    FROM store.run_files AS x
    WHERE seq <= s
    GROUP BY run, name, step
) AS f
LEFT JOIN store.runs AS r ON r.run = f.run
