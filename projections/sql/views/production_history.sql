-- Which version each alias stood on, and from when until when.
-- model VARCHAR: the model's name
-- alias VARCHAR: the alias, such as production
-- version UBIGINT: the version it stood on
-- since TIMESTAMPTZ: from when
-- until TIMESTAMPTZ: until when; null where it still does
-- actor VARCHAR: pseudonym of who put it there
-- reason VARCHAR: the reason, sealed; empty where none was given
-- seq UBIGINT: the event that put it there
SELECT model, alias, to_version AS version, recorded AS since, until, actor, reason, seq
FROM (
    SELECT *, lead(recorded) OVER (PARTITION BY model, alias ORDER BY seq) AS until
    FROM store.alias_moves
    WHERE seq <= s
)
WHERE kind <> 'deleted'
