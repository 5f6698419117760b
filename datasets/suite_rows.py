"""The rows of a suite, read again: those that it was defined on, and never others."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Refused
from .named_rows import NamedSource


@dataclass(frozen=True)
class SuiteSource(NamedSource):
    """As a name's rows; `words` is the suite's name with the number of its definition."""

    def others(self, rows: int) -> Refused:
        """Why rows are not those that the suite was defined on: what versions passed on others says nothing here."""
        name = self.words.partition("@")[0]
        return Refused(
            f"suite {self.words} was defined on other rows than its data holds now ({self.changed(rows)})",
            python=f"bring those back, or define_suite({name!r}, ...) again for the new ones",
            cli=f"bring those back, or `lepton suite define {name} ...` again for the new ones",
        )
