-- Each time an alias was protected, or was no more.
CREATE TABLE store.alias_protections (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    alias VARCHAR NOT NULL,
    protected BOOLEAN NOT NULL,
    requirements VARCHAR[],
    against VARCHAR,
    suite VARCHAR,
    actor VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

INSERT INTO store.alias_protections
SELECT
    seq, recorded, stream[7:], e.alias, type = 'lepton.alias.protected.v1', coalesce(e.requirements, []), e.against,
    e.suite, actor, coalesce(e.reason, '')
FROM (
    SELECT seq, recorded, stream, type, actor, from_json(data, '{
        "alias": "VARCHAR", "requirements": ["VARCHAR"], "against": "VARCHAR", "suite": "VARCHAR", "reason": "VARCHAR"
    }') AS e
    FROM batch
    WHERE type IN ('lepton.alias.protected.v1', 'lepton.alias.unprotected.v1')
);
