"""The work that makes and moves versions: save, restore, roll back, merge, train, evaluate, compare."""
