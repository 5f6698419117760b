"""A folder of pictures as rows: an array of each, the name of the folder that it lies in as its label, and its file."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import Malformed, Refused
from ..memory import check_bytes
from ..pandas_index import index_metadata

IMAGE: Final = "image"
LABEL: Final = "label"
FILE: Final = "file"
"""The columns: bytes of shape (3, height, width), red, green and blue; the class; the path within the folder."""
ENDINGS: Final = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_SIZE: Final = "#size="
"""What stands before the size that pictures are scaled to, behind the folder's path."""
_SIDES: Final = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?")
_SMALLEST: Final = 8
"""Pixels of a side."""
_AT_ONCE: Final = 64 << 20
"""Bytes of pictures that are made at once where they come in pieces."""
_ROWS: Final = 4_096
"""Pictures at once, at most."""


class Size(NamedTuple):
    """Of a picture, in pixels."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class PictureFolder:
    """Pictures in folders that are called as their classes, or in one folder without classes.

    They stand in the order of their paths, sorted, so that a folder has one fingerprint. Files and folders whose names
    begin with a dot are left aside; any other file must be a picture, so that none is lost unnoticed.
    """

    folder: Path
    size: Size | None = None
    """What pictures are scaled to: each as little as covers it, then its middle. None for the size that all have."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns; no label where there are no classes."""
        return [IMAGE, *((LABEL,) if self._classes else ()), FILE]

    @property
    def schema(self) -> Any:
        """The columns without a row, once the first picture was looked at."""
        import pyarrow as pa

        return pa.table(self._columns(self._files[:0])).schema.with_metadata(index_metadata(FILE))

    def table(self) -> Any:
        """All rows. Raises `Malformed` naming the file that is no such picture, `Refused` where they find no room."""
        check_bytes(len(self._files) * prod((3, *self._learnt_size)), "the folder")
        return self._rows(self._files)

    def pieces(self) -> Iterator[Any]:
        """The same in pieces, of which one at a time is in memory."""
        at_once = max(1, min(_ROWS, _AT_ONCE // prod((3, *self._learnt_size))))
        for first in range(0, len(self._files), at_once):
            yield self._rows(self._files[first : first + at_once])

    def _rows(self, files: Sequence[str]) -> Any:
        import pyarrow as pa

        return pa.table(self._columns(files)).replace_schema_metadata(index_metadata(FILE))

    def _columns(self, files: Sequence[str]) -> dict[str, Any]:
        import pyarrow as pa

        height, width = self._learnt_size
        pixels = np.empty((len(files), 3, height, width), np.uint8)
        for place, file in enumerate(files):
            pixels[place] = self._read(file).transpose(2, 0, 1)
        kind = pa.fixed_shape_tensor(pa.uint8(), (3, height, width))
        storage = pa.FixedSizeListArray.from_arrays(pa.array(pixels.reshape(-1)), 3 * height * width)
        columns = {IMAGE: pa.ExtensionArray.from_storage(kind, storage)}
        if self._classes:
            columns[LABEL] = pa.array([file.partition("/")[0] for file in files], pa.string())
        return columns | {FILE: pa.array(files, pa.string())}

    @property
    def _classes(self) -> bool:
        return "/" in self._files[0]

    @cached_property
    def _files(self) -> list[str]:
        """The paths of all pictures within the folder, sorted. Raises `Malformed` where a file is out of place."""
        found = sorted(_within(self.folder))
        for file in found:
            if not file.isprintable() or not file.lower().endswith(ENDINGS):
                raise Malformed(
                    f"{file.encode(errors='backslashreplace').decode()!r} has not the ending of a picture "
                    f"({', '.join(ENDINGS)}); take it out of the folder, or save it as one"
                )
        if not found:
            raise Malformed("it holds no pictures; give a folder with a folder of pictures for each class")
        deep = [file for file in found if "/" in file]
        if deep and len(deep) < len(found):
            lost = next(file for file in found if "/" not in file)
            raise Malformed(f"{lost!r} lies beside the folders of the classes; put it into one, or take it out")
        return found

    @cached_property
    def _learnt_size(self) -> Size:
        """The size that all pictures come to."""
        if self.size is not None:
            return self.size
        height, width = self._upright(self._files[0]).shape[:2]
        if min(height, width) < _SMALLEST:
            raise Malformed(f"{self._files[0]!r} has {Size(height, width)} pixels; give {_SMALLEST} a side at least")
        return Size(height, width)

    def _read(self, file: str) -> npt.NDArray[np.uint8]:
        pixels = self._upright(file)
        if pixels.shape[:2] != self._learnt_size:
            raise Malformed(
                f"{file!r} has {Size(*pixels.shape[:2])} pixels where the first picture has {self._learnt_size}; write "
                f"{self.folder.name}/{_SIZE}{self._learnt_size} to have all of them scaled"
            )
        return pixels

    def _upright(self, file: str) -> npt.NDArray[np.uint8]:
        """A picture's pixels as they are looked at, shape (height, width, 3)."""
        image = _pillow()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", image.DecompressionBombWarning)
                with image.open(self.folder / file, formats=_FORMATS) as opened:
                    if opened.mode.startswith(("I", "F")):
                        raise _deep(file)
                    return np.asarray(self._fitted(opened))
        except (Malformed, MemoryError):
            raise
        except (image.DecompressionBombError, image.DecompressionBombWarning):
            raise Malformed(
                f"{file!r} unpacks to more pixels than a picture may have ({image.MAX_IMAGE_PIXELS:,}); scale it down"
            ) from None
        except Exception as error:
            raise Malformed(f"{file!r} is no picture, or a damaged one; write it anew, or take it out") from error

    def _fitted(self, opened: Any) -> Any:
        from PIL import Image, ImageOps

        upright = ImageOps.exif_transpose(opened).convert("RGB")
        if self.size is None:
            return upright
        return ImageOps.fit(upright, (self.size.width, self.size.height), Image.Resampling.BILINEAR)


def picture_folder(path: str) -> PictureFolder:
    """The folder at a path, and the size behind it if one is said: `photos/#size=64x48`. Raises `Malformed`."""
    folder, size = parted(path)
    if not size:
        return PictureFolder(Path(folder))
    sides = _SIDES.fullmatch(size)
    width, height = (int(sides[1]), int(sides[2] or sides[1])) if sides else (0, 0)
    if min(width, height) < _SMALLEST:
        raise Malformed(
            f"{_SIZE}{size} is no size of pictures; write {_SIZE}64, or {_SIZE}WIDTHxHEIGHT, of {_SMALLEST} pixels or "
            "more a side"
        )
    return PictureFolder(Path(folder), Size(height, width))


def parted(path: str) -> tuple[str, str]:
    """A folder's path, and the size that is said behind it."""
    folder, mark, size = path.rpartition(_SIZE)
    return (folder, size) if mark else (path, "")


def _within(folder: Path) -> Iterator[str]:
    """Files within a folder by their paths from there, without hidden ones."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                yield (Path(place) / name).relative_to(folder).as_posix()


def _deep(file: str) -> Malformed:
    return Malformed(f"{file!r} has more than 8 bits a channel; give such pictures as arrays of numbers, in .npz")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise Refused("pictures need the package pillow: pip install 'lepton-ai-sdk[build]'") from error
    return Image
