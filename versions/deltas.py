"""A model's deltas as a graph: no more of it than the manifests that are asked about rest on."""

from __future__ import annotations

from ..domain.model.state import ModelState
from ..errors import Damaged
from ..events.model import VersionCommitted
from ..tensors.graph import Edge, Graph


class ModelDeltas:
    """The deltas of a model. What it costs to look at some is bounded by the longest chain, not by how many there are.

    A version's delta leads from an older one, and a chain of them ends where a version was kept whole. So what a
    manifest rests on is found from it alone, and of two that are joined by deltas what they rest on meets.
    """

    def __init__(self, model: ModelState) -> None:
        self._model = model

    def around(self, *manifests: str) -> Graph:
        """The graph of what these rest on. Raises `Damaged` where a delta leads from a version that is not there."""
        keyframes, edges = dict[str, int](), list[Edge]()
        waiting = list(dict.fromkeys(manifests))
        for manifest in waiting:
            if (stored := self._model.manifests.get(manifest)) is None:
                continue
            if stored.keyframe is not None:
                keyframes[manifest] = stored.keyframe
            for number in stored.deltas:
                edges.append(edge := self._edge(manifest, number))
                if edge.base not in waiting:
                    waiting.append(edge.base)
        return Graph(keyframes, tuple(edges))

    def _edge(self, new: str, number: int) -> Edge:
        delta = self._model.deltas[number]
        base = self._event(delta.from_version).tensors
        return Edge(base, new, delta.digest, delta.bytes, delta.two_way)

    def _event(self, number: int) -> VersionCommitted:
        if (version := self._model.versions.get(number)) is None:
            raise Damaged(f"version {number} of {self._model.name}", expected="its event", found="only a delta of it")
        return version.event


def graph_of(model: ModelState, manifest: str, *more: str) -> Graph:
    """The graph of what manifests of a model rest on: where a restore may start, and which ways lead on."""
    return ModelDeltas(model).around(manifest, *more)
