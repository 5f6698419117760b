-- What was said about a model: that it exists, what it is for, whether it is archived. A column is null where the event
-- says nothing about it.
CREATE TABLE store.models (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    model VARCHAR NOT NULL,
    registered BOOLEAN,
    description VARCHAR,
    archived BOOLEAN,
    actor VARCHAR NOT NULL
);

INSERT INTO store.models
SELECT
    seq,
    recorded,
    stream[7:],
    CASE WHEN type = 'lepton.model.registered.v1' THEN true END,
    data ->> 'description',
    CASE type WHEN 'lepton.model.archived.v1' THEN true WHEN 'lepton.model.unarchived.v1' THEN false END,
    actor
FROM batch
WHERE type IN (
    'lepton.model.registered.v1', 'lepton.model.described.v1', 'lepton.model.archived.v1', 'lepton.model.unarchived.v1'
);
