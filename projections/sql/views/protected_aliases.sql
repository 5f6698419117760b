-- The aliases that move only to versions that passed a gate.
-- model VARCHAR: the model's name
-- alias VARCHAR: the alias, such as production
-- requirements VARCHAR[]: what a version must meet
-- against VARCHAR: the alias, branch or tag that `against.` stands for; null where nothing is compared with it
-- suite VARCHAR: the suite whose gate it is; null where it is none's
-- protected TIMESTAMPTZ: since when
-- actor VARCHAR: pseudonym of who protected it
-- reason VARCHAR: the reason, sealed; empty where none was given
-- seq UBIGINT: the event that recorded it
SELECT
    model, alias, last.requirements, last.against, last.suite, last.recorded AS protected, last.actor, last.reason,
    last.seq
FROM (
    SELECT model, alias, arg_max(p, p.seq) AS last
    FROM store.alias_protections AS p
    WHERE seq <= s
    GROUP BY model, alias
)
WHERE last.protected
