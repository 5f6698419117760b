"""Which store of objects a URL names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import Malformed, Refused
from .folder import FolderStore
from .objects import ObjectStore, check_key

_CLOUDS = ("s3", "gs", "az")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")


def objects_at(url: str, ledger: str, *, wait: float, filled: bool = False) -> ObjectStore:
    """The objects of a ledger, below a folder of its own; `wait` is how many seconds a bucket may keep us waiting.

    The folder is made where missing, unless it is `filled`: then it is away, which its first use tells.
    Raises `Malformed` where the URL names no store, without quoting it: it may hold a password.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_store() from None
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise Malformed("LEPTON_OBJECTS holds more than a place; credentials and options belong into the environment")
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return FolderStore(Path(unquote(parts.path)) / ledger, filled=filled)
    if parts.scheme in _CLOUDS:
        return _cloud(parts.scheme, parts.netloc, f"{parts.path.removesuffix('/')}/{ledger}".removeprefix("/"), wait)
    raise _no_store()


def _cloud(scheme: str, bucket: str, prefix: str, wait: float) -> ObjectStore:
    if not _BUCKET.fullmatch(bucket):
        raise Malformed(f"LEPTON_OBJECTS names no bucket; write {scheme}://bucket/prefix")
    try:
        check_key(prefix)
    except Malformed:
        raise Malformed("LEPTON_OBJECTS has a prefix that is not names of [A-Za-z0-9._-] between slashes") from None
    try:
        from .cloud import cloud_store
    except ModuleNotFoundError as error:
        raise Refused(f"{scheme}:// needs the extra: pip install 'lepton-ai-sdk[cloud]'") from error
    return cloud_store(scheme, bucket, prefix, wait=wait)


def _no_store() -> Malformed:
    return Malformed(
        "LEPTON_OBJECTS names no store of objects; write file:///folder, or s3://, gs:// or az://bucket/prefix"
    )
