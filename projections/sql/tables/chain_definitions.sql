-- One row for each step of each definition of a chain.
CREATE TABLE store.chain_definitions (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    chain VARCHAR NOT NULL,
    place UBIGINT NOT NULL,
    step VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    needs VARCHAR[] NOT NULL,
    actor VARCHAR NOT NULL
);

INSERT INTO store.chain_definitions
SELECT
    seq, recorded, stream[7:], place, each ->> 'step', each ->> 'kind',
    coalesce(from_json(each -> 'needs', '["VARCHAR"]'), []), actor
FROM (
    SELECT
        seq, recorded, stream, actor, unnest(from_json(data -> 'steps', '["JSON"]')) AS each,
        generate_subscripts(from_json(data -> 'steps', '["JSON"]'), 1) AS place
    FROM batch
    WHERE type = 'lepton.chain.defined.v1'
);
