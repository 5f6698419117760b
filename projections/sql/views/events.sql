-- Every event of the ledger, as stored.
-- seq UBIGINT: the event's place in the log, from 1, without holes
-- recorded TIMESTAMPTZ: when the ledger recorded it; never decreases along the log
-- time TIMESTAMPTZ: when it happened, as its producer says
-- type VARCHAR: the event's versioned name, such as lepton.version.committed.v1
-- stream VARCHAR: what it happened to: model/<name>, run/<id>, objects, ledger
-- stream_version UBIGINT: its place in the stream, from 1
-- actor VARCHAR: pseudonym of who asked for it
-- id VARCHAR: the event's UUID
-- correlation VARCHAR: what joins all events of one undertaking; null where nothing does
-- causation VARCHAR: id of the event that caused it; null where none did
-- data JSON: the event's own fields
SELECT seq, recorded, time, type, stream, stream_version, actor, id, correlation, causation, data
FROM store.events
WHERE seq <= s
