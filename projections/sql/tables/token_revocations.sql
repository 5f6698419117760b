-- One row for each token that was revoked.
CREATE TABLE store.token_revocations (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    token VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

INSERT INTO store.token_revocations
SELECT seq, recorded, stream[7:], actor, coalesce(data ->> 'reason', '')
FROM batch
WHERE type = 'lepton.token.revoked.v1';
