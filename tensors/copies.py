"""Copies of a ledger's objects: what lies in its home beside the store, and the places that somebody names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import Refused
from ..home import checked_path
from ..permissions import is_folder
from .address import objects_at
from .folder import FolderStore
from .objects import ObjectStore


def copies_in(home: Path, ledger: str, places: Sequence[str | os.PathLike[str]], wait: float) -> list[ObjectStore]:
    """The spool and the folder of a ledger in its home, and `places`: folders, or URLs of buckets."""
    folders = [*(home / "spool" / ledger).glob("**/objects"), home / "objects" / ledger]
    here: list[ObjectStore] = [FolderStore(folder, filled=True) for folder in folders if folder.is_dir()]
    return here + [_copy(os.fspath(place), ledger, wait) for place in places]


def _copy(place: str, ledger: str, wait: float) -> ObjectStore:
    folder = Path(place) if "://" in place else checked_path(place, "the place of a copy")
    if "://" not in place and not is_folder(folder):
        raise Refused(f"{place[:200]} is no folder; name one that holds a copy of the objects, or a URL of a bucket")
    if "://" not in place and (folder / "packs").is_dir():
        return FolderStore(folder, filled=True)
    url = place if "://" in place else folder.as_uri()
    return objects_at(url, ledger, wait=wait, filled=True)
