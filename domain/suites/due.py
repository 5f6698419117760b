"""What a suite has to judge: one version of a model by one definition, and the keys that make each of it once."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

LONGEST: Final = 180
"""Characters of a key that is written out; the ledger takes some more, for what is appended."""


class Due(NamedTuple):
    """A version that a suite has to judge."""

    seq: int
    """The event that committed it."""
    suite: str
    number: int
    """Which definition of the suite."""
    model: str
    version: int

    @property
    def words(self) -> str:
        """The suite and the version, as a sentence names them."""
        return f"suite {self.suite}@{self.number} on version {self.version} of {self.model}"

    def key(self, version: int | None = None) -> str:
        """The key of the job that evaluates the version, or another of its model, on the suite's rows."""
        key = f"suite/{self.suite}@{self.number}/{self.model}@{version or self.version}"
        if len(key) <= LONGEST and key.isprintable():
            return key
        return f"suite/{sha256(key.encode()).hexdigest()}"

    @property
    def gate(self) -> str:
        """The key of its gate."""
        return f"{self.key()}/gate"
