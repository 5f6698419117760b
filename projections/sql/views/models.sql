-- The models of the ledger.
-- model VARCHAR: the model's name
-- registered TIMESTAMPTZ: when the name came into use
-- actor VARCHAR: pseudonym of who registered it
-- description VARCHAR: what was last said about it, sealed; null where nothing was
-- archived BOOLEAN: whether it is closed to writing
-- versions UBIGINT: how many versions it has
-- latest UBIGINT: its newest version; null where it has none
-- seq UBIGINT: the event that registered it
SELECT m.model, m.registered, m.actor, m.description, m.archived, coalesce(v.versions, 0) AS versions, v.latest, m.seq
FROM (
    SELECT
        model,
        min(recorded) FILTER (registered) AS registered,
        arg_min(actor, seq) FILTER (registered) AS actor,
        arg_max(description, seq) FILTER (description IS NOT NULL) AS description,
        coalesce(arg_max(archived, seq) FILTER (archived IS NOT NULL), false) AS archived,
        min(seq) FILTER (registered) AS seq
    FROM store.models
    WHERE seq <= s
    GROUP BY model
) AS m
LEFT JOIN (
    SELECT model, count(*)::UBIGINT AS versions, max(version) AS latest FROM store.versions WHERE seq <= s GROUP BY model
) AS v USING (model)
