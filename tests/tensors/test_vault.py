"""The vault: what is kept once is not kept twice, nothing is trusted, and memory stays bounded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.errors import Damaged, Refused, Unavailable
from lepton_ai.tensors.check import check_pack
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.tensors.graph import MAX_DEPTH, Graph
from lepton_ai.tensors.manifest import CHUNK, describe
from lepton_ai.tensors.pack import PackWriter, Whole, read_index
from lepton_ai.tensors.tensor import Array
from lepton_ai.tensors.vault import Vault

from ..examples import examples
from .past import Lineage, Shelf, copied, floats, network, same, stepped


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path / "objects")


def grown(lineage: Lineage, count: int = 3) -> Lineage:
    """A keyframe and `count - 1` deltas upon it."""
    tensors = network()
    lineage.save(tensors)
    for number in range(count - 1):
        tensors = stepped(tensors, number)
        assert lineage.save(tensors, base=number).delta
    return lineage


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_first_version_is_a_keyframe_in_one_pack(lineage: Lineage) -> None:
    kept = lineage.save(network())

    assert kept.keyframe
    assert kept.delta is None
    assert kept.relies_on == frozenset()
    (pack,) = kept.packs
    assert lineage.objects.size(pack.key) == pack.bytes < 0.9 * kept.manifest.size
    index = read_index(lineage.objects, pack.key)
    assert (index.digest, len(index.entries)) == (pack.index, pack.entries)


@pytest.mark.parametrize("content", [bytes(3_000), np.random.default_rng(0).bytes(3_000)], ids=["zeros", "random"])
@pytest.mark.parametrize("order", ["together", "the file first", "the tensor first"])
def test_a_file_of_the_bytes_of_a_tensor_and_that_tensor_are_both_read(
    lineage: Lineage, content: bytes, order: str
) -> None:
    tensors = {"w": Array.from_numpy(np.frombuffer(content, np.uint8)), "other": Array.from_numpy(np.ones(3))}
    files: dict[str, Any] = {"w.bin": content}
    saves: dict[str, list[tuple[dict[str, Array], dict[str, Any]]]] = {
        "together": [(tensors, files)],
        "the file first": [({"other": tensors["other"]}, files), (tensors, {})],
        "the tensor first": [(tensors, {}), ({"other": tensors["other"]}, files)],
    }

    for saved, beside in saves[order]:
        kept = lineage.save(saved, files=beside)
        fresh = lineage.fresh()
        assert same(fresh.restore(kept.manifest.digest, lineage.graph), saved)
        assert {file.name: fresh.blob(file.digest) for file in kept.files} == beside
    assert [damage for pack in lineage.packs for damage in check_pack(lineage.objects, pack.key, pack.index)] == []


def test_a_file_of_the_bytes_of_a_delta_is_read(lineage: Lineage) -> None:
    lineage.save(network())
    pack = lineage.save(stepped(network(), 1), base=0).packs[0]
    (delta,) = (each for each in read_index(lineage.objects, pack.key).entries if each.kind == "delta")
    stored = lineage.objects.get(pack.key, delta.offset, delta.length)

    (kept,) = lineage.save(network(5), files={"delta": stored}).files

    assert kept.digest == delta.digest
    assert lineage.vault.blob(kept.digest) == stored


def test_a_second_version_is_a_delta_that_relies_on_the_first(lineage: Lineage) -> None:
    first = lineage.save(network())
    second = lineage.save(stepped(network(), 1), base=0)

    assert not second.keyframe
    assert second.delta is not None
    assert second.delta.bytes < 0.75 * second.manifest.size
    assert second.delta.tensors == 4  # not the empty one, and the tied names once
    assert 0.99 * second.manifest.parameters < second.delta.elements <= second.manifest.parameters
    assert second.relies_on == {first.packs[0].key}


def test_only_what_changed_is_in_a_delta(lineage: Lineage) -> None:
    tensors = network()
    lineage.save(tensors)
    kept = lineage.save(tensors | {"body.bias": stepped(tensors, 1)["body.bias"]}, base=0)

    assert kept.delta is not None
    assert (kept.delta.tensors, kept.delta.elements) == (1, 300)
    assert sum(pack.bytes for pack in kept.packs) < 4000


def test_what_is_known_is_not_written_again(lineage: Lineage) -> None:
    grown(lineage)
    again = lineage.save(copied(lineage.versions[2][1]), base=1)

    assert again.packs == ()
    assert again.delta is None
    assert not again.keyframe
    assert again.relies_on == {pack.key for pack in lineage.packs}


def test_chunks_that_another_version_stored_are_not_written_again(lineage: Lineage) -> None:
    lineage.save(network(0))
    other = lineage.save({"renamed": network(0)["body.weight"], "new": floats(np.ones(10))})

    assert other.keyframe
    assert sum(pack.bytes for pack in other.packs) < 4000
    assert other.relies_on == {lineage.packs[0].key}
    assert same(lineage.fresh().restore(other.manifest.digest, lineage.graph), lineage.versions[1][1])


def test_unrelated_weights_become_a_keyframe(lineage: Lineage) -> None:
    lineage.save({"w": network(0)["body.weight"]})
    kept = lineage.save({"w": network(1)["body.weight"]}, base=0)

    assert kept.keyframe
    assert len(list(lineage.objects.list(""))) == 2  # the delta that proved too large left nothing


def test_a_chain_is_cut_by_a_keyframe_before_a_restore_costs_too_much(lineage: Lineage) -> None:
    tensors = network()
    lineage.save(tensors)
    for number in range(2 * MAX_DEPTH + 2):
        rng = np.random.default_rng(number)
        raw = tensors["body.bias"].raw().copy()
        raw[int(rng.integers(0, raw.nbytes))] ^= 1
        tensors = tensors | {"body.bias": Array("float32", (300,), raw)}
        lineage.save(tensors, base=number)

    depths = [len(lineage.graph.cheapest(manifest.digest).steps) for manifest, _ in lineage.versions]
    assert max(depths) <= MAX_DEPTH
    assert len(lineage.keyframes) == 3


def test_files_and_blobs_are_kept_beside_the_tensors(lineage: Lineage, tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_bytes(b"token\n" * 100_000)
    kept = lineage.save(network(), files={"tokens": tmp_path / "tokens.txt", "note": b"hi", "code": b""})

    assert [(file.name, file.bytes) for file in kept.files] == [("code", 0), ("note", 2), ("tokens", 600_000)]
    found = {file.name: lineage.fresh().blob(file.digest) for file in kept.files}
    assert found == {"code": b"", "note": b"hi", "tokens": b"token\n" * 100_000}


def test_a_file_that_cannot_be_read_is_refused(lineage: Lineage, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="'gone' cannot be read"):
        lineage.save(network(), files={"gone": tmp_path / "gone"})
    assert list(lineage.objects.list("")) == []


def test_a_pack_that_has_grown_enough_is_followed_by_another(lineage: Lineage) -> None:
    writer = PackWriter(lineage.objects, limit=1000)
    writer.write(Whole("blob", f"blake3:{i:064x}", bytes(400)) for i in range(7))

    assert [pack.entries for pack in writer.packs] == [3, 3, 1]
    assert len({place.pack for place in writer.placements}) == 3


def test_nothing_absolute_is_in_any_object(lineage: Lineage, tmp_path: Path) -> None:
    grown(lineage)
    lineage.save(network(5), files={"x": b"y"})

    moved = tmp_path / "moved"
    lineage.folder.rename(moved)
    for path in moved.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes()
    vault = Vault(FolderStore(moved), lineage.shelf)
    assert same(vault.restore(lineage.versions[2][0].digest, lineage.graph), lineage.versions[2][1])


# --- what may go wrong while saving ----------------------------------------------------------------------------------


class Restless(Array):
    """A tensor that something else writes to between one look and the next."""

    def raw(self) -> np.ndarray:
        self.buffer[len(self.buffer) // 2] += 1
        return self.buffer


@pytest.mark.parametrize("base", [None, 0])
def test_a_tensor_that_changes_while_it_is_saved_is_refused_and_leaves_nothing(
    lineage: Lineage, base: int | None
) -> None:
    lineage.save(network())
    before = list(lineage.objects.list(""))
    moving = stepped(network(), 1)
    moving["body.weight"] = Restless("float32", (300, 1200), moving["body.weight"].raw().copy())

    with pytest.raises(Refused, match=r"'body\.weight' changed while it was saved"):
        lineage.save(moving, base=base)
    assert list(lineage.objects.list("")) == before
    assert lineage.objects.leftovers() == []


def test_a_store_that_fails_in_the_middle_leaves_nothing_that_is_named(tmp_path: Path) -> None:
    class Failing(FolderStore):
        def put(self, key: str, pieces: Iterable[bytes]) -> int:
            def some() -> Iterator[bytes]:
                for number, piece in enumerate(pieces):
                    if number == 3:
                        raise Unavailable("the network is away; try again")
                    yield piece

            return super().put(key, some())

    store = Failing(tmp_path)
    with pytest.raises(Unavailable):
        Vault(store, Shelf()).keep(network(), base=None, graph=Graph({}, ()))
    assert list(store.list("")) == []
    assert store.leftovers() == []


def test_a_damaged_past_does_not_keep_the_present_from_being_saved(lineage: Lineage) -> None:
    grown(lineage)
    lineage.flip(lineage.packs[0].key, 100_000)
    kept = lineage.save(stepped(network(), 7), base=2)

    assert kept.keyframe
    assert kept.relies_on == frozenset()
    assert same(lineage.fresh().restore(kept.manifest.digest, lineage.graph), lineage.versions[3][1])


def test_a_base_whose_packs_are_gone_is_not_built_upon(lineage: Lineage) -> None:
    grown(lineage)
    lineage.shelf.known = {k: place for k, place in lineage.shelf.known.items() if place.pack != lineage.packs[0].key}

    assert lineage.save(stepped(network(), 7), base=2).keyframe


# --- restoring -------------------------------------------------------------------------------------------------------


def test_only_the_tensors_asked_for_are_restored(lineage: Lineage) -> None:
    grown(lineage)
    manifest, tensors = lineage.versions[2]
    found = lineage.vault.restore(manifest.digest, lineage.graph, names=["scale", "head.weight", "embed.weight"])

    assert same(found, {name: tensors[name] for name in ("scale", "head.weight", "embed.weight")})
    with pytest.raises(Refused, match="no tensor 'nose'"):
        lineage.vault.restore(manifest.digest, lineage.graph, names=["nose"])


def test_tensors_at_hand_that_were_changed_are_not_believed(lineage: Lineage) -> None:
    grown(lineage)
    live = copied(lineage.versions[2][1])
    live["scale"].raw()[0] ^= 1

    for at_hand in (live, {}):
        found = lineage.vault.restore(
            lineage.versions[1][0].digest, lineage.graph, at_hand=(lineage.versions[2][0], at_hand)
        )
        assert same(found, lineage.versions[1][1])


def test_an_unknown_version_is_damage(lineage: Lineage) -> None:
    missing = "blake3:" + "0" * 64

    for call in (lineage.vault.blob, lineage.vault.manifest, lambda d: lineage.vault.restore(d, lineage.graph)):
        with pytest.raises(Damaged, match=missing):
            call(missing)


def test_a_delta_between_other_versions_than_the_graph_says_is_damage(lineage: Lineage) -> None:
    grown(lineage)
    first, second = (edge.digest for edge in lineage.edges)
    swapped = dict(zip((first, second), (lineage.shelf.known[second], lineage.shelf.known[first]), strict=True))
    lineage.shelf.known |= {digest: place._replace(digest=digest) for digest, place in swapped.items()}

    with pytest.raises(Damaged, match="a delta from"):
        lineage.vault.restore(lineage.versions[2][0].digest, lineage.graph)


# --- damage ----------------------------------------------------------------------------------------------------------


@settings(max_examples=examples(80), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_byte_is_never_read_as_a_fact(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    lineage = Lineage(tmp_path_factory.mktemp("damage"))
    small = {"w": floats(np.random.default_rng(0).normal(0, 1, 500)), "n": floats([1, 2])}
    lineage.save(small, files={"f": b"file " * 50})
    lineage.save(stepped(small, 1), base=0)
    pack = data.draw(st.sampled_from(lineage.packs))
    at = data.draw(st.integers(0, pack.bytes - 1))
    if data.draw(st.booleans()):
        lineage.flip(pack.key, at, 1 << data.draw(st.integers(0, 7)))
    else:
        path = lineage.folder / pack.key
        path.write_bytes(path.read_bytes()[:at])

    vault, told = lineage.fresh(), list[str]()
    for manifest, tensors in lineage.versions:
        try:
            found = vault.restore(manifest.digest, lineage.graph)
        except Damaged as error:
            told.append(str(error))
            continue
        assert same(found, tensors)
    damages = list(vault.check_pack(pack.key, pack.index))
    assert damages
    assert all(pack.key in text for text in (*told, *map(str, damages)))


def test_a_check_names_every_damage_and_goes_on(lineage: Lineage) -> None:
    lineage.save({"w": floats(np.random.default_rng(0).normal(0, 1, 4 * CHUNK // 4)), "n": floats([1, 2])})
    (pack,) = lineage.packs
    assert list(lineage.vault.check_pack(pack.key, pack.index)) == []
    chunks = [line for line in read_index(lineage.objects, pack.key).entries if line.kind == "chunk"]
    hurt = [chunks[0], chunks[2], chunks[4]]
    for line in hurt:
        lineage.flip(pack.key, line.offset + line.length // 2)

    found = list(lineage.vault.check_pack(pack.key, pack.index))
    made = list(lineage.fresh().check_manifest(lineage.versions[0][0].digest, lineage.graph))
    for damages in (found, made):
        assert {line.digest for line in hurt} == {line.digest for line in chunks if line.digest in str(damages)}
        assert len(damages) == 3


def test_a_check_of_a_version_names_the_delta_and_the_missing_pack(lineage: Lineage) -> None:
    grown(lineage)
    last = lineage.versions[2][0].digest
    assert list(lineage.fresh().check_manifest(last, lineage.graph)) == []

    lineage.flip(lineage.packs[1].key, 5000)
    (damage,) = lineage.fresh().check_manifest(last, lineage.graph)
    assert lineage.edges[0].digest in str(damage)
    lineage.objects.delete(lineage.packs[0].key)
    damages = list(lineage.fresh().check_manifest(last, lineage.graph))
    assert any(f"pack {lineage.packs[0].key} is damaged: expected present" in str(damage) for damage in damages)
    (missing,) = lineage.fresh().check_pack(lineage.packs[0].key, lineage.packs[0].index)
    assert "missing" in str(missing)


def test_a_pack_with_another_index_than_was_recorded_is_damaged(lineage: Lineage) -> None:
    lineage.save(network())

    (damage,) = lineage.vault.check_pack(lineage.packs[0].key, "blake3:" + "0" * 64)
    assert "index" in str(damage)


# --- memory ----------------------------------------------------------------------------------------------------------

BOUNDED = """
import resource, sys
from pathlib import Path
import numpy as np
from lepton_ai.tensors.graph import Edge, Graph
from lepton_ai.tensors.tensor import Array
from lepton_ai.tensors.vault import Vault
from lepton_ai.tensors.folder import FolderStore

class Shelf:
    def __init__(self): self.known = {}
    def find(self, digests): return {d: self.known[d] for d in digests if d in self.known}

class Fresh:
    '''A tensor that lies nowhere until it is asked for, as one on a GPU does: 20 MB a time, 240 MB in all.'''
    dtype, shape, nbytes = "float32", (5_000_000,), 20_000_000
    def __init__(self, seed, step): self.seed, self.step = seed, step
    def raw(self):
        values = np.random.default_rng(self.seed).standard_normal(5_000_000, np.float32)
        return (values + np.float32(self.step)).view(np.uint8)

shelf = Shelf()
vault = Vault(FolderStore(sys.argv[1]), shelf)
models = [{f"w{i}": Fresh(i, step) for i in range(12)} for step in (0.0, 1e-3)]
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
vault.keep({"warm": models[0]["w0"]}, base=None, graph=Graph({}, ()))
before = peak()
first = vault.keep(models[0], base=None, graph=Graph({}, ()))
shelf.known.update((p.digest, p) for p in first.placements)
key = first.manifest.digest
second = vault.keep(models[1], base=first.manifest, graph=Graph({key: first.manifest.size}, ()))
shelf.known.update((p.digest, p) for p in second.placements)
assert second.delta, second
graph = Graph({key: 1}, (Edge(key, second.manifest.digest, second.delta.digest, second.delta.bytes, True),))
assert list(vault.check_manifest(second.manifest.digest, graph)) == []
kept = peak()
found = vault.restore(second.manifest.digest, graph)
print(kept - before, peak() - kept)
"""


def test_neither_saving_nor_restoring_holds_the_model_twice(tmp_path: Path) -> None:
    done = subprocess.run((sys.executable, "-c", BOUNDED, str(tmp_path)), capture_output=True, text=True, check=True)
    saving, restoring = map(int, done.stdout.split())

    threads = min(8, __import__("os").cpu_count() or 1)
    assert saving < 60 + 64 * threads  # MB; the model has 240
    assert restoring < 240 + 64 * threads


def test_the_manifest_is_what_describe_says(lineage: Lineage) -> None:
    kept = lineage.save(network())

    assert lineage.fresh().manifest(kept.manifest.digest) == describe(network())


def test_equal_saves_write_equal_bytes(tmp_path: Path) -> None:
    packs: list[Any] = []
    for name in ("one", "two"):
        lineage = grown(Lineage(tmp_path / name))
        packs.append([lineage.objects.get(pack.key) for pack in lineage.packs])

    assert packs[0] == packs[1]


def test_saving_a_known_version_whose_packs_are_damaged_makes_it_whole_again(lineage: Lineage) -> None:
    grown(lineage)
    lineage.flip(lineage.packs[2].key, lineage.packs[2].bytes // 2)
    lineage.objects.delete(lineage.packs[1].key)
    again = lineage.fresh().keep(lineage.versions[2][1], base=None, graph=lineage.graph)

    assert again.keyframe
    lineage.shelf.known.update((place.digest, place) for place in again.placements)
    graph = Graph({again.manifest.digest: 1}, ())
    assert same(lineage.fresh().restore(again.manifest.digest, graph), lineage.versions[2][1])


def test_names_that_were_tied_for_one_version_only_come_back_all_the_same(lineage: Lineage) -> None:
    apart = {name: floats(np.full(shape, 1.0)) for name, shape in (("a", 3), ("b", (2, 2)), ("w", 5000))}
    tied = {**apart, "a": floats([1, 1, 2])}
    tied["b"] = tied["a"]
    lineage.save(apart)
    lineage.save(tied, base=0)
    lineage.save({**tied, "a": floats([1, 1, 3])}, base=1)

    assert len(lineage.edges) == 2
    for manifest, tensors in lineage.versions:
        assert same(lineage.fresh().restore(manifest.digest, lineage.graph), tensors)
