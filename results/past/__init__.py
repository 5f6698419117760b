"""Answers about what happened to a model: its history as lists and as a tree, what differs, what was rolled back."""
