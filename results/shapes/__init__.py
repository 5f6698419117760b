"""The shapes of answers as JSON: what `--json` prints and what the API answers, and their JSON Schema.

It imports nothing. Begin at `shape.py`; `schema.py` makes JSON Schema of a shape.
"""
