-- The steps of chains, as each was defined last, with what became of them last.
-- chain VARCHAR: the chain's name
-- step VARCHAR: the step's name within it
-- place UBIGINT: which of its steps it is, from 1; each stands behind those that it needs
-- kind VARCHAR: train, evaluate, gate, tag, alias, ...
-- needs VARCHAR[]: the steps that must have finished before
-- job VARCHAR: the job that it became last; null where it is none, or was not asked for yet
-- model VARCHAR: the model that it is about; null where it was not asked for yet
-- version UBIGINT: the version that it was done on, where it is no job
-- reason VARCHAR: why it was refused, sealed; empty where it was not
-- told TIMESTAMPTZ: when that became of it; null where nothing did
-- told_seq UBIGINT: the event that says so; null where none does
-- actor VARCHAR: pseudonym of who defined the chain
-- defined TIMESTAMPTZ: when the chain was defined
-- seq UBIGINT: the event that defined the chain
SELECT
    d.chain, d.step, d.place, d.kind, d.needs, m.last.job AS job, m.last.model AS model, m.last.version AS version,
    coalesce(m.last.reason, '') AS reason, m.last.recorded AS told, m.last.seq AS told_seq, d.actor,
    d.recorded AS defined, d.seq
FROM store.chain_definitions AS d
LEFT JOIN LATERAL (
    SELECT arg_max(x, x.seq) AS last
    FROM store.chain_moves AS x
    WHERE x.chain = d.chain AND x.step = d.step AND x.seq > d.seq AND x.seq <= s
) AS m ON true
WHERE d.seq = (SELECT max(seq) FROM store.chain_definitions WHERE chain = d.chain AND seq <= s)
