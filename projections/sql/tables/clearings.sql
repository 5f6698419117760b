-- One row for each time that a version was cleared of the rollbacks from it.
CREATE TABLE store.clearings (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    actor VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

INSERT INTO store.clearings
SELECT seq, recorded, stream[7:], (data ->> 'version')::UBIGINT, actor, coalesce(data ->> 'reason', '')
FROM batch
WHERE type = 'lepton.version.cleared.v1';
