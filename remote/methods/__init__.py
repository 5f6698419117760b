"""The methods of a server's manager, a class a subject, each of which asks one route or does its work here.

It imports the local manager, whose signatures and words the methods have, and what `remote/` may. Begin at `asked.py`.
"""
