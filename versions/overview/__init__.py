"""What is looked through page by page: versions at a glance.

It imports the workspace and the domain. Begin at `summaries.py`.
"""
