-- One row for each token that was made.
CREATE TABLE store.tokens (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    token VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    scopes VARCHAR[] NOT NULL,
    models VARCHAR[] NOT NULL,
    expires TIMESTAMPTZ,
    actor VARCHAR NOT NULL
);

INSERT INTO store.tokens
SELECT seq, recorded, stream[7:], e.owner, e.scopes, coalesce(e.models, ['*']), e.expires, actor
FROM (
    SELECT seq, recorded, stream, actor, from_json(data, '{
        "owner": "VARCHAR", "scopes": ["VARCHAR"], "models": ["VARCHAR"], "expires": "TIMESTAMPTZ"
    }') AS e
    FROM batch
    WHERE type = 'lepton.token.created.v1'
);
