-- What was said about a version after it was committed.
CREATE TABLE store.version_descriptions (
    seq UBIGINT NOT NULL,
    model VARCHAR NOT NULL,
    version UBIGINT NOT NULL,
    description VARCHAR NOT NULL
);

INSERT INTO store.version_descriptions
SELECT seq, stream[7:], (data ->> 'version')::UBIGINT, data ->> 'description'
FROM batch
WHERE type = 'lepton.version.described.v1';
