"""The recipe of a version, and the digests that make two versions the same in every ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import rfc8785

from ...errors import Malformed
from ...plain import in_json, plain

WHOLE: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """What made a version, as far as it can be repeated: never environment, message, metrics, tags or times."""

    hyperparameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    architecture: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    data: Mapping[str, Any] | None = None
    derivation: Mapping[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """The recipe as JSON, or `Malformed` where a value has no such form."""
        return {
            "architecture": plain(self.architecture, "architecture"),
            "data": None if self.data is None else plain(self.data, "data"),
            "derivation": None if self.derivation is None else plain(self.derivation, "derivation"),
            "hyperparameters": plain(self.hyperparameters, "hyperparameters"),
            "settings": plain(self.settings, "settings"),
        }

    def digest(self) -> str:
        """SHA-256 over the recipe as RFC 8785 JSON. Raises `Malformed` where a value has no such form.

        RFC 8785 has whole numbers up to 2^53 - 1 only: greater ones stand in it as the text of their digits.
        """
        return canonical_digest(self.plain())


def version_digest(manifest: str, parents: Iterable[tuple[str, str]], recipe: str) -> str:
    """A version's digest: SHA-256 over its manifest's, its parents' (digest, role) and its recipe's digests."""
    return canonical_digest({"manifest": manifest, "parents": [list(parent) for parent in parents], "recipe": recipe})


def canonical_digest(value: Any) -> str:
    """SHA-256 over RFC 8785 JSON."""
    try:
        return f"sha256:{sha256(rfc8785.dumps(in_json(value, _exact))).hexdigest()}"
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise Malformed(f"a recipe holds a value without a canonical JSON form ({error}); write it as text") from error


def _exact(value: Any) -> Any:
    """A whole number as text where a double, and so RFC 8785, would round it."""
    return str(value) if isinstance(value, int) and not -WHOLE <= value <= WHOLE else value
