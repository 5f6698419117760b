"""The read model: what the events say, as DuckDB tables; the only room that names DuckDB."""
