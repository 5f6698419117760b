-- A batch of envelopes, each parsed once; its answer is registered as `batch`, from which all tables are filled.
-- `raw` is the registered Arrow column of envelopes.
SELECT
    e.sequence::UBIGINT AS seq,
    e.recordedtime::TIMESTAMPTZ AS recorded,
    e.clocktime::TIMESTAMPTZ AS clock,
    e.time::TIMESTAMPTZ AS time,
    e.type AS type,
    e.source AS source,
    e.subject AS stream,
    e.streamversion AS stream_version,
    e.authid AS actor,
    e.id AS id,
    e.correlationid AS correlation,
    e.causationid AS causation,
    e.data AS data
FROM (
    SELECT from_json(raw, '{
        "sequence": "VARCHAR", "recordedtime": "VARCHAR", "clocktime": "VARCHAR", "time": "VARCHAR", "type": "VARCHAR", "source": "VARCHAR",
        "subject": "VARCHAR", "streamversion": "UBIGINT", "authid": "VARCHAR", "id": "VARCHAR",
        "correlationid": "VARCHAR", "causationid": "VARCHAR", "data": "JSON"
    }') AS e
    FROM raw
)
