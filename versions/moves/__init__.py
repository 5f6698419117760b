"""Moves of names: where branches, tags and aliases stand, how they came there, and how they are rolled back."""
