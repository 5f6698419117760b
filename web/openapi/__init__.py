"""The API's description, OpenAPI 3.1: of routes, shapes of answers, problems, and an example of each request.

`python -m lepton_ai.web.openapi` prints docs/openapi.json. Begin at `document.py`; how a route says what it answers is
in `described.py`, one level up.
"""
