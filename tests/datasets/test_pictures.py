"""Folders of pictures and .npz files: read as rows in a steady order, or refused by the name of what is wrong."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lepton_ai import ModelManager
from lepton_ai.datasets.profiles.pieces import file_pieces
from lepton_ai.datasets.read import checked, labelled, rows, rows_beside
from lepton_ai.datasets.selection import ALL
from lepton_ai.datasets.sources import pictures
from lepton_ai.datasets.tables import fingerprint, fingerprint_of_pieces
from lepton_ai.errors import Malformed, Refused
from lepton_ai.models import ImageModel

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made


def drawn(place: Path, pixels: npt.NDArray[np.uint8], **more: Any) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(place, **more)
    return place


def folder(place: Path, count: int = 6, sides: tuple[int, int] = (12, 10)) -> Path:
    """Cats are dark and dogs are bright, but for noise."""
    chance = np.random.default_rng(0)
    for number in range(count):
        for kind, light in (("cat", 0), ("dog", 120)):
            pixels = (light + chance.integers(0, 100, (*sides, 3))).astype(np.uint8)
            drawn(place / kind / f"{number}.png", pixels)
    return place


def read(path: Path | str) -> tuple[npt.NDArray[Any], list[str]]:
    data, labels = labelled(str(path), "label")
    return data.column("image").combine_chunks().to_numpy_ndarray(), labels.to_pylist()


def test_a_folder_is_rows_in_the_order_of_its_paths(tmp_path: Path) -> None:
    place = folder(tmp_path / "photos", 2)
    (place / "cat" / ".DS_Store").write_bytes(b"x")

    values, labels = read(place)
    _, beside = rows_beside(str(place), {"image": "array"}, ["file"])

    assert (values.shape, values.dtype, labels) == ((4, 3, 12, 10), np.uint8, ["cat", "cat", "dog", "dog"])
    assert np.array_equal(values[1].transpose(1, 2, 0), np.asarray(Image.open(place / "cat" / "1.png")))
    assert beside.column("file").to_pylist() == ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"]


def test_pieces_of_a_folder_have_the_fingerprint_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(folder(tmp_path / "photos"))
    whole = fingerprint(*labelled(place, "label"))
    monkeypatch.setattr(pictures, "_AT_ONCE", 3 * 12 * 10 * 5)

    pieces = [*file_pieces(place, "label", ALL)]
    named = fingerprint_of_pieces((piece.drop_columns(["label"]), piece.column("label")) for piece in pieces)

    assert (len(pieces), named["digest"]) == (3, whole["digest"])


def test_other_sizes_are_scaled_where_a_size_is_said_and_named_where_none_is(tmp_path: Path) -> None:
    place = folder(tmp_path / "photos", 1)
    drawn(place / "dog" / "wide.jpg", np.zeros((40, 90, 3), np.uint8))

    values, _ = read(checked(f"{place}/#size=16x8", "label"))

    assert values.shape == (3, 3, 8, 16)
    with pytest.raises(Malformed, match=r"'dog/wide.jpg' has 90x40 .*; write photos/#size=10x12"):
        read(place)
    for size in ("0", "3x9", "x", "-8"):
        with pytest.raises(Malformed, match="is no size of pictures"):
            read(f"{place}/#size={size}")


def test_a_picture_is_read_as_it_is_looked_at(tmp_path: Path) -> None:
    turned, grey = Image.Exif(), np.arange(96, dtype=np.uint8).reshape(8, 12)
    turned[0x0112] = 6  # to be turned by 90 degrees
    drawn(tmp_path / "photos" / "a.png", np.ascontiguousarray(np.rot90(grey)), exif=turned)

    values = rows(str(tmp_path / "photos"), {"image": "array"}).column("image").combine_chunks().to_numpy_ndarray()

    assert np.array_equal(values[0], np.repeat(grey[None], 3, 0))


def bomb() -> bytes:
    """A PNG of 30,000 × 30,000 pixels, by its own account."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b"\0" * 99))
    told = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("dog/0.png", b"no picture at all", "'dog/0.png' is no picture, or a damaged one"),
        ("dog/notes.txt", b"good dog", "'dog/notes.txt' has not the ending of a picture"),
        ("lost.png", b"", "'lost.png' lies beside the folders of the classes"),
        ("dog/1.png", bomb(), "'dog/1.png' unpacks to more pixels than a picture may have"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    place = folder(tmp_path / "photos", 1)
    (place / name).write_bytes(content)

    with pytest.raises(Malformed) as refusal:
        read(place)

    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_pictures_that_lose_by_eight_bits_a_cut_one_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    drawn(tmp_path / "deep" / "a.png", np.zeros((9, 9), np.uint16))
    whole = drawn(tmp_path / "cut" / "a.png", np.random.default_rng(0).integers(0, 255, (99, 99, 3)).astype(np.uint8))
    whole.write_bytes(whole.read_bytes()[:5_000])
    (tmp_path / "empty").mkdir()

    for name, sentence in (("deep", "more than 8 bits"), ("cut", "'a.png' is no picture"), ("empty", "holds no pict")):
        with pytest.raises(Malformed, match=sentence):
            rows(str(tmp_path / name), {"image": "array"})


def test_a_folder_beyond_memory_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(tmp_path / "photos", 1)
    monkeypatch.setattr("lepton_ai.datasets.memory.room", lambda: 700.0)

    with pytest.raises(Refused, match=r"photos: the folder unpacks to"):
        read(place)


def test_named_arrays_are_columns(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    np.savez(tmp_path / "a.npz", x=values, n=np.arange(4), y=np.array(["a", "b", "a", "b"]))

    data, labels = labelled(checked(str(tmp_path / "a.npz"), "y"), "y")
    pieces = (
        (piece.drop_columns(["y"]), piece.column("y")) for piece in file_pieces(str(tmp_path / "a.npz"), "y", ALL)
    )

    assert fingerprint(data, labels) == fingerprint({"x": values, "n": [0, 1, 2, 3]}, ["a", "b", "a", "b"])
    assert fingerprint_of_pieces(pieces)["digest"] == fingerprint(data, labels)["digest"]


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": np.array([1, "a", None], object)}, "its array 'x' holds Python objects"),
        ({"x": np.zeros(3), "y": np.zeros(4)}, "its array 'x' has 3 rows and 'y' 4"),
        ({"x": np.float64(3), "y": np.float64(4)}, "its array 'x' has no rows"),
        ({"x": np.zeros(2, complex), "y": np.zeros(2)}, "column 'x' holds"),
    ],
)
def test_arrays_that_are_no_rows_are_refused(tmp_path: Path, arrays: dict[str, Any], sentence: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)

    with pytest.raises(Malformed, match=sentence):
        fingerprint(*labelled(str(tmp_path / "a.npz"), "y"))


def test_a_cut_off_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(99), y=np.zeros(99))
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:400])

    with pytest.raises(Malformed, match="no archive of arrays, or damaged"):
        labelled(str(tmp_path / "b.npz"), "y")


def test_a_folder_is_trained_on_judged_named_and_predicted_at_every_door(home: Path, tmp_path: Path) -> None:
    place, test = folder(tmp_path / "photos", 8), folder(tmp_path / "test", 2, (30, 20))
    model = ImageModel().add_hyperparameter("epochs", 2).add_hyperparameter("width", 8)
    model.add_hyperparameter("device", "cpu")
    with ModelManager(home) as manager:
        made = manager.train(model, place, "label", name="pets", validation=(f"{test}/#size=10x12", "label"))
        judged = manager.evaluate(made, f"{test}/#size=10x12", "label", draws=0)
        named = manager.add_data("pets", place, "label", keep=True)
        again = manager.train(model, "pets", name="pets")
        said = manager.predict("pets@1", place, keep=["file"])

        assert judged.performance.accuracy is not None
        assert (named.rows, [each.name for each in named.columns]) == (16, ["image"])
        assert manager.show(again).data["digest"] == manager.show(made).data["digest"] == named.digest
        assert said.column_names[:2] == ["file", "prediction"]
        assert said.column("file")[0].as_py() == "cat/0.png"


def test_the_command_line_trains_on_a_folder(cli: Cli, tmp_path: Path) -> None:
    place = folder(tmp_path / "photos")

    done = cli(
        f"train image-model {place} --label label --name pets --set epochs=1 --set width=8 --set device=cpu --json"
    ).json

    assert (done["job"]["status"], done["version"]["model"]) == ("finished", "pets")
    assert done["metrics"]["accuracy"] is not None
