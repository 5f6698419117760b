-- One row for each time that a suite was retired.
CREATE TABLE store.suite_retirements (
    seq UBIGINT NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    suite VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);

INSERT INTO store.suite_retirements
SELECT seq, recorded, stream[7:], coalesce(data ->> 'reason', '')
FROM batch
WHERE type = 'lepton.suite.retired.v1';
