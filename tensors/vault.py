"""The vault: keeps tensors in packs and gives them back, bit for bit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from ..errors import Damaged, Malformed, Refused
from .cache import ChunkCache
from .check import check_pack, check_way
from .codec import Direction
from .delta import Pairing, Slot
from .graph import Deltas, Graph, Route
from .inplace import apply_way
from .keep import SavedTensors, SoundPacks, TensorSave
from .keep_files import SavedFiles, keep_files
from .manifest import Manifest, TensorEntry, zeroed
from .norms import Norms, norms_between
from .objects import ObjectStore
from .pack import Placement
from .rewrite import fill, overwrite
from .stored_content import file_of
from .tensor import Array, Bytes, LiveTensor, Tensor
from .threads import in_order
from .virtual_pack import VirtualPack, laid_out, laid_out_deltas
from .way import AtHand, AtHandDiffers, Leg, Placements, StoredDelta, Way

V = TypeVar("V")


class Vault:
    """Tensors over an object store. `placements` tells where digests lie, including those of earlier saves.

    Safe to use from many threads as far as `objects` and `placements` are.
    """

    def __init__(
        self,
        objects: ObjectStore,
        placements: Placements,
        sound: SoundPacks | None = None,
        cache: ChunkCache | None = None,
    ) -> None:
        self._objects = objects
        self._placements = placements
        self._sound = sound or SoundPacks(objects)
        self._cache = cache or ChunkCache()
        self._manifests: Recent[Manifest] = Recent(16)
        self._virtual: Recent[VirtualPack] = Recent(16)

    def keep(
        self,
        tensors: Mapping[str, Tensor],
        *,
        base: Manifest | None,
        graph: Deltas,
        files: Mapping[str, Path | bytes] | None = None,
        told: str | None = None,
    ) -> SavedTensors:
        """Save tensors as a delta from `base` where the graph's bounds allow it and it is the smaller, else whole.

        What is stored already is not written again. Raises `Refused`, leaving nothing, if a tensor or file changes
        meanwhile; `Malformed` on names, shapes or dtypes that cannot be kept, and where the manifest is not the one
        that was `told` with the tensors.
        """
        save = TensorSave(self._objects, self._placements, self._sound, self._cache, self.way, tensors, files or {})
        if told not in (None, save.manifest.digest):
            raise Malformed(
                f"the tensors come to the manifest {save.manifest.digest}, not to {told}; send what it says"
            )
        kept = save.known(graph) or (base and save.as_delta(base, graph)) or save.as_keyframe()
        self._manifests.put(kept.manifest.digest, kept.manifest)
        return kept

    def keep_files(self, files: Mapping[str, Path | bytes]) -> SavedFiles:
        """Keep files by themselves; as `keep` does where they stand beside tensors."""
        return keep_files(self._objects, self._placements, self._sound, files)

    def manifest(self, digest: str) -> Manifest:
        """A stored manifest; raises `Damaged` if it is missing or not what its digest says."""
        known = self._manifests.get(digest)
        if known is None:
            known = Manifest.decode(self.blob(digest))
            self._manifests.put(digest, known)
        return known

    def blob(self, digest: str) -> bytes:
        """The content of a stored file or blob; raises `Damaged` if it is missing or not what its digest says."""
        place = self._locate((digest,), "blob")[digest]
        try:
            return file_of(digest, self._objects.get(place.pack, place.offset, place.length))
        except Damaged as error:
            if error.thing.startswith("pack "):
                raise
            raise Damaged(f"{error.thing} in pack {place.pack}", expected=error.expected, found=error.found) from error

    def restore(
        self,
        digest: str,
        graph: Graph,
        *,
        names: Collection[str] | None = None,
        at_hand: tuple[Manifest, Mapping[str, Tensor]] | None = None,
    ) -> dict[str, Array]:
        """The tensors of a manifest, or those called `names`, over the cheapest path; shared names, one object.

        Tensors at hand are read but never trusted: where they are not what their manifest says, packs are read.
        Raises `Refused` on a name that is not there, `Damaged` naming the first damage met.
        """
        try:
            return self._restore(digest, graph, names, at_hand)
        except AtHandDiffers:
            return self._restore(digest, graph, names, None)

    def stored(self, digest: str, graph: Graph) -> dict[str, Tensor]:
        """The tensors of a manifest by name, each read only when its bytes are asked for; shared names, one object."""
        manifest = self.manifest(digest)
        tensors = {owner.name: StoredTensor(self, digest, graph, owner) for owner in manifest.owners}
        return {entry.name: tensors[manifest.owner(entry.name).name] for entry in manifest.tensors}

    def fill(self, digest: str, graph: Graph, fresh: Mapping[str, LiveTensor]) -> None:
        """Write tensors of a manifest, by name, into memory that nobody else sees; dtypes and shapes must be its own.

        Raises `Damaged` naming the first damage met; then what the memory holds is worth nothing.
        """
        fill(self.way(graph.cheapest(digest)), self._placements, fresh)

    def overwrite(self, digest: str, graph: Graph, live: Mapping[str, LiveTensor]) -> None:
        """Write tensors of a manifest, by name, over live ones; on any error, also an interrupt, nothing is changed."""
        overwrite(self.way(graph.cheapest(digest)), self._placements, live)

    def apply(
        self, target: str, graph: Graph, live_manifest: Manifest, live: Mapping[str, LiveTensor]
    ) -> tuple[tuple[str, Direction], ...]:
        """Turn live tensors into `target` where they lie; returns the deltas replayed, in order, with directions.

        All deltas are verified, then all live tensors, then chunk by chunk the new bytes are made, checked and
        written. On any error, also an interrupt, what was written is led back. Raises `Refused` where no deltas lead
        there from what is live, or it cannot be done in place: then restore instead.
        """
        route = _deltas_alone(graph, target, live_manifest.digest)
        apply_way(self.way(route, (live_manifest, live)), live)
        return tuple((edge.digest, direction) for edge, direction in route.steps)

    def packs_behind(self, digest: str, graph: Graph) -> frozenset[str]:
        """The packs that a restore reads; raises `Damaged` where it cannot be."""
        found = self._placements.find(self.way(graph.cheapest(digest)).rests_on)
        return frozenset(place.pack for place in found.values())

    def virtual_pack(self, digest: str, graph: Graph) -> VirtualPack:
        """All that a restore of a manifest reads, as one object; raises `Damaged` where it cannot be."""
        return self._laid_out((digest, None), lambda: laid_out(*self._routed(graph.cheapest(digest)), self._placements))

    def virtual_deltas(self, digest: str, graph: Graph, live: str) -> VirtualPack:
        """What `apply` reads to lead the tensors of the manifest `live` to another: manifests and deltas alone.

        Raises `Refused` where no deltas lead there.
        """
        route = _deltas_alone(graph, digest, live)
        return self._laid_out((digest, live), lambda: laid_out_deltas(*self._routed(route), self._placements))

    def read_virtual(self, pack: VirtualPack, start: int, stop: int) -> Iterator[memoryview]:
        """Bytes of a virtual pack. Where they cannot be read it is forgotten: laid out anew it may lie elsewhere."""
        try:
            yield from pack.pieces(self._objects, start, stop)
        except Damaged:
            self._virtual.clear()
            raise

    def chunks(self, digest: str, graph: Graph, slots: Iterable[Slot]) -> Iterator[Bytes]:
        """Chunks of a manifest's tensors, by the names of their owners, in order; each is verified and its own."""
        way = self.way(graph.cheapest(digest))
        for made in in_order(
            lambda plans: [each.copy() for each in way.chunks(plans)], way.batches(self._placements, slots)
        ):
            yield from made

    def norms(self, a: Manifest, b: Manifest, graph: Graph) -> Norms:
        """How far b lies from a, for each tensor that differs; raises `Damaged`."""
        return norms_between(self.way(graph.cheapest(a.digest)), self.way(graph.cheapest(b.digest)), self._placements)

    def check_pack(self, key: str, index: str) -> Iterator[Damaged]:
        """Every damage of a pack, whose index should have the digest `index`; every payload is decoded."""
        return check_pack(self._objects, key, index)

    def check_manifest(self, digest: str, graph: Graph) -> Iterator[Damaged]:
        """Everything that keeps a version from being restored, each thing once; every chunk of it is made."""
        try:
            way = self.way(graph.cheapest(digest))
        except Damaged as error:
            yield error
            return
        yield from check_way(way, self._placements)

    def way(self, route: Route, at_hand: tuple[Manifest, Mapping[str, Tensor]] | None = None) -> Way:
        """A path made ready to be walked: its manifests are read."""
        live = at_hand if at_hand is not None and at_hand[0].digest == route.start else None
        manifests = [live[0] if live else self.manifest(route.start)]
        located = self._locate([edge.digest for edge, _ in route.steps], "delta")
        legs: list[Leg] = []
        for edge, direction in route.steps:
            manifests.append(self.manifest(edge.new if direction > 0 else edge.base))
            base, new = manifests[-2:][::direction]
            delta = StoredDelta(self._objects, located[edge.digest], (edge.base, edge.new))
            legs.append(Leg(Pairing(base, new), delta, direction))
        return Way(self._objects, manifests, legs, AtHand(*live) if live else None)

    def _restore(
        self,
        digest: str,
        graph: Graph,
        names: Collection[str] | None,
        at_hand: tuple[Manifest, Mapping[str, Tensor]] | None,
    ) -> dict[str, Array]:
        way = self.way(graph.cheapest(digest, (at_hand[0].digest,) if at_hand else ()), at_hand)
        manifest = way.target
        wanted = [entry.name for entry in manifest.tensors] if names is None else sorted(names)
        strange = [name for name in wanted if name not in manifest]
        if strange:
            raise Refused(f"the version has no tensor {strange[0]!r}; `lepton show` lists those it has")
        arrays = {owner.name: zeroed(owner) for owner in map(manifest.owner, wanted)}
        fill(way, self._placements, arrays)
        return {name: arrays[manifest.owner(name).name] for name in wanted}

    def _routed(self, route: Route) -> tuple[Route, Way]:
        return route, self.way(route)

    def _laid_out(self, name: tuple[str, str | None], lay_out: Callable[[], VirtualPack]) -> VirtualPack:
        """A virtual pack, kept for those who read it in many parts."""
        known = self._virtual.get(key := " ".join(filter(None, name)))
        if known is None:
            self._virtual.put(key, known := lay_out())
        return known

    def _locate(self, digests: Iterable[str], sort: str) -> Mapping[str, Placement]:
        wanted = set(digests)
        found = self._placements.find(wanted)
        for digest in wanted:
            if digest not in found:
                raise Damaged(f"{sort} {digest}", expected="a pack that holds it", found="none")
        return found


def _deltas_alone(graph: Graph, target: str, live: str) -> Route:
    try:
        return Graph({}, graph.edges).cheapest(target, (live,))
    except Damaged:
        raise Refused("no deltas lead from what is live to that version; load the version instead") from None


class StoredTensor:
    """A tensor of a version, still in its packs."""

    def __init__(self, vault: Vault, digest: str, graph: Graph, entry: TensorEntry) -> None:
        self.dtype = entry.dtype
        self.shape = entry.shape
        self.nbytes = entry.nbytes
        self._restored = lambda: vault.restore(digest, graph, names=(entry.name,))[entry.name]

    def raw(self) -> Bytes:
        return self._restored().raw()


class Recent(Generic[V]):
    """A mapping that forgets what was longest unused once it holds more than `most`. Any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> V | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def put(self, key: str, value: V) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
