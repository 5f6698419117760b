-- Whose events the file holds, and how far: one row for each batch, the last being the position with its leaf's hash.
CREATE TABLE store.ledger (id VARCHAR NOT NULL);

CREATE TABLE store.position (seq UBIGINT NOT NULL, leaf BLOB NOT NULL);
