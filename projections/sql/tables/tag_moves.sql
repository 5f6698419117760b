-- Each time a tag was bound to a version, or given up (no version).
CREATE TABLE store.tag_moves (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    tag VARCHAR NOT NULL,
    version UBIGINT,
    actor VARCHAR NOT NULL
);

INSERT INTO store.tag_moves
SELECT
    seq,
    recorded,
    stream[7:],
    data ->> 'tag',
    CASE WHEN type = 'lepton.tag.created.v1' THEN (data ->> 'version')::UBIGINT END,
    actor
FROM batch
WHERE type IN ('lepton.tag.created.v1', 'lepton.tag.deleted.v1');
