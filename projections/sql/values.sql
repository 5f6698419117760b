-- A JSON value as columns that SQL compares without casts: its text, its number, its kind.
CREATE MACRO store.json_kind(value) AS
CASE json_type(value)
    WHEN 'VARCHAR' THEN 'string'
    WHEN 'BOOLEAN' THEN 'boolean'
    WHEN 'OBJECT' THEN 'object'
    WHEN 'ARRAY' THEN 'array'
    WHEN 'NULL' THEN 'null'
    ELSE CASE WHEN value IS NULL THEN 'null' ELSE 'number' END
END;

CREATE MACRO store.json_number(value) AS
CASE WHEN store.json_kind(value) = 'number' THEN try_cast(value ->> '$' AS DOUBLE) END;

CREATE MACRO store.json_text(value) AS
CASE WHEN store.json_kind(value) <> 'null' THEN value ->> '$' END;
