"""The kinds of work, one file each; the line below makes them known.

A file declares its payload, whose base classes (`domain/job/kinds.py`) say what the work needs and may make, and the
function of four beats behind it: fetch, compute, keep, answer. Whoever submits jobs imports it too, so it is light:
torch, NumPy and what stands on them are imported when the function runs. Begin at `import_version.py`.
"""

from . import evaluate, import_version, suite, train, trial, tune

__all__ = ["evaluate", "import_version", "suite", "train", "trial", "tune"]
