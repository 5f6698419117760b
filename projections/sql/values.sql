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
