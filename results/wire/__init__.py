"""The SDK's own form of answers: JSON from which an answer is made again, the same to its class and last bit.

`to_dict()` is for programs in any language; this form is for Lepton itself at the other end of a line. It imports
results alone. Begin at `answers.py`; `values.py` has what answers are made of.
"""

from __future__ import annotations

from .answers import packed, read, unpacked, written

__all__ = ["packed", "read", "unpacked", "written"]
