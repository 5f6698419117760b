"""Trainings by several processes: `launch` begins them and listens, `rank` is one of them, `group` what they share.

Whoever asked stays the process that knows ledger and callbacks; the others know a private folder and a socket in it.
Begin at `launch.py`.
"""
