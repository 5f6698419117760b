-- A JSON value as columns that SQL compares without casts: its kind, its text, its number. What a value is shows in the
-- first letter of its JSON, which is far cheaper to read than the value.
CREATE MACRO store.json_kind(value) AS
CASE left(value::VARCHAR, 1)
    WHEN '"' THEN 'string'
    WHEN '{' THEN 'object'
    WHEN '[' THEN 'array'
    WHEN 't' THEN 'boolean'
    WHEN 'f' THEN 'boolean'
    ELSE CASE WHEN value IS NULL OR value::VARCHAR = 'null' THEN 'null' ELSE 'number' END
END;

CREATE MACRO store.json_text(value, kind) AS
CASE kind WHEN 'null' THEN NULL WHEN 'string' THEN value ->> '$' ELSE value::VARCHAR END;

CREATE MACRO store.json_number(value, kind) AS
CASE WHEN kind = 'number' THEN try_cast(value::VARCHAR AS DOUBLE) END;


-- What rows are known by in their fingerprint.
CREATE MACRO store.rows_digest(fingerprint) AS
CASE WHEN store.json_kind(json_extract(fingerprint, '$.digest')) = 'string'
    THEN nullif(json_extract_string(fingerprint, '$.digest'), '')
END;


-- A moment, where the calendar of most languages holds it: a view with any other could not be read by them.
CREATE MACRO store.moment(told) AS
CASE
    WHEN told < TIMESTAMPTZ '0001-01-01 00:00:00+00' OR told > TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'
        THEN error('a moment lies before the year 1 or behind the year 9999 in UTC')::TIMESTAMPTZ
    ELSE told
END;
