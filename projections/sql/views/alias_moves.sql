-- Every move of every alias.
-- model VARCHAR: the model's name
-- alias VARCHAR: the alias that moved
-- seq UBIGINT: the event that moved it
-- recorded TIMESTAMPTZ: when it moved
-- from_version UBIGINT: where it stood before; null where it did not exist
-- to_version UBIGINT: where it stands after; null where it was deleted
-- kind VARCHAR: moved, rolled_back or deleted
-- actor VARCHAR: pseudonym of who moved it
-- reason VARCHAR: the reason, sealed; empty where none was given
-- gate UBIGINT: the event of the gate by which a protected alias moved; null where it moved by none
-- override BOOLEAN: whether a protected alias moved without its gate, for the reason
SELECT model, alias, seq, recorded, from_version, to_version, kind, actor, reason, gate, override
FROM store.alias_moves
WHERE seq <= s
