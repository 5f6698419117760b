"""How a version that was trained elsewhere is taken up: as told, and as a job that looks at its file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ...errors import Malformed, Refused
from ...events.job import JobSubmitted
from ...events.outside import VersionOffered
from ..append import Append
from ..commands import job_stream, model_stream
from ..guards import limits, unused, writable
from ..model.commit import check_tags
from ..model.state import Model
from ..names import (
    checked_metrics,
    checked_model,
    checked_name,
    checked_run,
)
from .commands import OfferVersion
from .state import Job

VERIFY: Final = "verify"
"""The kind of work that looks at what was offered."""
LIMITS: Final = "limits"
"""In the payload of a job: it looks at what an outside service offered, which may be so much and no more."""
CLOUDS: Final = ("s3", "gs", "az")
_BUCKET: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,220}[A-Za-z0-9])?")
_NUMBERS: Final = re.compile(r"[0-9.]+")
_LONGEST: Final = 2_000
"""Characters of an address."""


def offer(job: Job, model: Model, command: OfferVersion) -> tuple[Append, ...]:
    """What was offered and the job that looks at it, in one append; nothing where that job stands already.

    A model that nobody knows is registered with its first version, and not by the offer.
    Raises `Refused` for what would be refused whatever the file holds.
    """
    if job.status != "unknown":
        return ()
    checked_run(command.job)
    checked_model(command.model)
    _fits(model, command)
    said = _said(command)
    sealed: dict[str, Any] = {"source": command.source, "message": command.message}
    offered = VersionOffered.model_validate(said | sealed)
    payload: dict[str, Any] = said if command.limits is None else said | {LIMITS: dict(command.limits)}
    job_of_it = JobSubmitted(
        job=command.job, kind=VERIFY, model=command.model, payload=payload, **sealed, **limits(command)
    )
    return Append(model_stream(command.model), offered), Append(job_stream(command.job), job_of_it)


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


def _fits(model: Model, command: OfferVersion) -> None:
    """Hold that the model, the branch and the tags can take a version."""
    checked_name(command.branch, "branch")
    writable(model)
    if model.head(command.branch) is None:
        unused(model, command.branch)
        if model.versions:
            raise Refused(
                f"{model.name} has no branch {command.branch!r}; open it with `lepton branch`, or offer the version on "
                "one that stands"
            )
    check_tags(model, command.branch, command.tags)


def _said(command: OfferVersion) -> dict[str, Any]:
    """What is told of the version, without where it lies. `Malformed` where it could never be committed."""
    command.recipe.digest()
    recipe = command.recipe.plain()
    return {
        "digest": command.digest,
        "branch": command.branch,
        **{name: recipe[name] for name in ("hyperparameters", "architecture", "settings", "data")},
        "metrics": checked_metrics(command.metrics),
        "tags": list(command.tags),
    }
