-- The tokens by which the ledger is used over HTTP; nothing here is a secret, or opens anything.
-- token VARCHAR: the token's id
-- owner VARCHAR: pseudonym of who acts with it
-- scopes VARCHAR[]: what it allows: read, write, move, admin, sql
-- models VARCHAR[]: globs, one of which fits the names of its models
-- created TIMESTAMPTZ: when it was made
-- expires TIMESTAMPTZ: when it ends by itself; null for never
-- revoked TIMESTAMPTZ: when it was revoked; null where it was not
-- actor VARCHAR: pseudonym of who made it
-- reason VARCHAR: why it was revoked, sealed; empty where nothing was said
-- seq UBIGINT: the event that made it
SELECT
    t.token, t.owner, t.scopes, t.models, t.recorded AS created, t.expires, r.recorded AS revoked, t.actor,
    coalesce(r.reason, '') AS reason, t.seq
FROM store.tokens AS t
LEFT JOIN store.token_revocations AS r ON r.token = t.token AND r.seq <= s
WHERE t.seq <= s
