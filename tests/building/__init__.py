"""Trainings, and the models that they make."""
