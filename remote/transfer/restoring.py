"""What a server tells of a version to be restored: checked against its digest before a byte of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ...domain.model.recipe import Recipe, version_digest
from ...errors import Damaged
from ...results import Version, VersionRef
from ...tensors.vault import Vault
from .connections import Connections
from .stored import RemotePack


class Restoring:
    """A version or checkpoint of a server, and a vault that restores it, the `whole` of it or parts.

    Raises `Damaged` where the version is not what its digest says, as far as its parents may be read.
    """

    def __init__(
        self, connections: Connections, path: str, query: str, facts: Mapping[str, Any], *, whole: bool = True
    ) -> None:
        self.facts = facts
        self.tensors = str(facts["tensors"])
        name = f"of {facts['model']}@{facts['version']}" if "version" in facts else f"of run {facts['run']}"
        if "digest" in facts:
            _check_digest(name, facts)
        self._pack = RemotePack(connections, f"{path}/stored{query}", name, facts["stored"], in_order=whole)
        self.graph = self._pack.graph
        self.vault = Vault(self._pack, self._pack)

    @property
    def version(self) -> Version:
        """The version, as callers hold it."""
        return version_of(self.facts)


def version_of(told: Mapping[str, Any]) -> Version:
    """A version as `Version.to_dict` tells it."""
    model = str(told["model"])
    parents = tuple(
        (each["version"] if each["model"] == model else VersionRef(each["model"], each["version"]), each["role"])
        for each in cast("list[dict[str, Any]]", told["parents"])
    )
    return Version(told["version"], model=model, digest=told["digest"], branch=told["branch"], parents=parents)


def _check_digest(name: str, facts: Mapping[str, Any]) -> None:
    if not facts["all_parents"]:
        return  # of models that may not be read: what the version is made of is told by its own event
    recipe = Recipe(*(facts[each] for each in ("hyperparameters", "architecture", "settings", "data", "derivation")))
    parents = [(each["digest"], each["role"]) for each in facts["parents"]]
    digest = version_digest(str(facts["tensors"]), parents, recipe.digest())
    if digest != facts["digest"]:
        raise Damaged(f"version {name}", expected=str(facts["digest"]), found=digest)
