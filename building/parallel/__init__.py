"""Trainings by several processes: `launch` begins them and listens, `rank` is one of them, `group` what they share.

Whoever asked stays the process that knows ledger and callbacks. `elastic` has the others on this machine, `over_ray` on
the machines of a Ray cluster; `ports` says what both give. Begin at `launch.py`.
"""
