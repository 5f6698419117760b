"""Work asked for by a form: its fields are those of the API's request for the kind. Begin at `page.py`; `library.py`
has the pages of what can be trained.

It may import the rooms above it and the API's requests for jobs.
"""
