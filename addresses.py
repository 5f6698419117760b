"""Addresses: of files (an absolute path, file:///path, an object in a bucket), and of hosts on this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote, urlsplit

from .errors import Malformed

CLOUDS: Final = ("s3", "gs", "az")


_BUCKET: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,220}[A-Za-z0-9])?")


_NUMBERS: Final = re.compile(r"[0-9.]+")


_LONGEST: Final = 2_000
"""Characters of an address."""


def checked_source(source: str) -> str:
    """Where a file lies: an absolute path, or a URL of a file or of an object in a bucket.

    Raises `Malformed`, which does not quote it: it may hold a password.
    """
    if len(source) > _LONGEST or not source.isprintable():
        raise Malformed(f"source is no address; it is at most {_LONGEST} printable characters")
    try:
        parts = urlsplit(source)
    except ValueError:
        raise _no_source() from None
    if "@" in parts.netloc or (parts.scheme and (parts.query or parts.fragment)):
        raise Malformed("source holds more than a place; credentials and options belong into the workers' environment")
    local = source.startswith("/") or (source.startswith("file:/") and parts.netloc in ("", "localhost"))
    if not (local or (parts.scheme in CLOUDS and parts.netloc)) or not parts.path.strip("/"):
        raise _no_source()
    path = unquote(parts.path if parts.scheme else source)
    if not path.isprintable() or {".", ".."}.intersection(path.split("/")):
        raise Malformed("source leads elsewhere by . or .. or what does not print; write the place itself")
    if not local and (not _BUCKET.fullmatch(parts.netloc) or _NUMBERS.fullmatch(parts.netloc)):
        raise Malformed("source names no bucket; write s3://, gs:// or az://bucket/key, without a host or a port")
    return source


def within(source: str, places: Iterable[str]) -> bool:
    """Whether a checked source lies in one of the places: buckets, their prefixes, or folders as `file:///folder`."""
    parts = urlsplit(source)
    clouds = parts.scheme in CLOUDS
    whole = f"{parts.scheme}://{parts.netloc}{unquote(parts.path)}" if clouds else f"file://{local_path(source)}"
    return any(
        whole.startswith(place) if place.endswith("://") else f"{whole}/".startswith(f"{place.rstrip('/')}/")
        for place in map(unquote, places)
    )


def local_path(source: str) -> str:
    """The path of a checked source on this machine."""
    parts = urlsplit(source)
    return unquote(parts.path) if parts.scheme else source


def _no_source() -> Malformed:
    return Malformed("source names no file; write an absolute path, file:///path, or s3://, gs:// or az://bucket/key")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address, an IPv6 one in brackets or not, stands for this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
