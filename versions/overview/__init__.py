"""What is known, looked through: what happened to a model, page by page, its versions at a glance, all of one.

It imports the workspace and the domain. Begin at `history.py`.
"""
