"""Versions and models of a server: what is known of them, and their bytes restored here."""

from __future__ import annotations

import os
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...domain.model.metric import checked_better
from ...domain.names import checked_metrics
from ...errors import Malformed
from ...home import checked_path
from ...plain import in_json
from ...results import Log, VersionSummaries
from ...versions.arguments import checked
from ...versions.export import checkout
from .asked import PAGE, Asking, model_at, over_http, quoted

if TYPE_CHECKING:
    from ..transfer.vault import RemoteVersions


@checked
class ReadOverHTTP(Asking):
    """`load_version`, `apply`, `show`, `log` and what else is read of versions and noted on them."""

    @property
    def _versions(self) -> RemoteVersions:
        return self._remote.versions

    @over_http
    def load_version(self, given: Any) -> Any:
        return self._versions.load(self._words(given.rev), into=given.into)

    @over_http
    def load_tensors(self, given: Any) -> Any:
        from ...models.state import empty_torch

        return self._versions.tensors(self._words(given.rev), given.names, empty_torch)

    @over_http
    def load_arrays(self, given: Any) -> Any:
        from ...models.arrays import empty_numpy

        return self._versions.tensors(self._words(given.rev), given.names, empty_numpy)

    @over_http
    def files(self, given: Any) -> Any:
        return self._versions.files(self._words(given.rev))

    @over_http
    def apply(self, given: Any) -> Any:
        return self._versions.apply(self._words(given.rev), given.module)

    @over_http
    def checkout(self, given: Any) -> Any:
        place = checked_path(_path(given.folder), "the folder")
        return checkout.checkout(self._stored(given.rev), place, given.force)

    @over_http
    def export(self, given: Any) -> Any:
        return checkout.export(self._stored(given.rev), Path(_path(given.file)).absolute())

    @over_http
    def models(self, given: Any) -> Any:  # noqa: ARG002
        return self._read("/models")

    @over_http
    def about(self, given: Any) -> Any:
        return self._read(model_at(given.model))

    @over_http
    def log(self, given: Any) -> Any:
        if given.most is not None and given.most < 1:
            raise Malformed(f"most is {given.most}; give how many entries to take, at least 1")
        rev = None if given.rev is None else self._words(given.rev)
        asked = {"rev": rev, "most": min(given.most or PAGE, PAGE), "before": given.before}
        pages = self._remote.client.pages(model_at(given.model, "log"), asked)
        first = next(pages)
        told = chain(first.entries, (entry for page in pages for entry in page.entries))
        return Log(first.model, tuple(islice(told, given.most)))

    @over_http
    def show(self, given: Any) -> Any:
        return self._read(self._version_at(given.rev))

    @over_http
    def versions(self, given: Any) -> Any:
        asked = {"where": given.where, "branch": given.branch, "before": given.before}
        asked |= {"most": max(1, min(given.most, PAGE))}
        pages = self._remote.client.pages(model_at(given.model, "versions"), asked)
        first = next(pages)
        told = chain(first.versions, (each for page in pages for each in page.versions))
        return VersionSummaries(first.model, tuple(islice(told, given.most)))

    @over_http
    def annotate(self, given: Any) -> None:
        notes = dict(given.annotations)
        self._outbox.ready()
        self._remote.client.write("PATCH", self._version_at(given.rev, "annotations"), notes, key=given.key)

    @over_http
    def describe(self, given: Any) -> None:
        if isinstance(given.what, str) and given.what in self.models():
            body = {"description": given.text}
            self._outbox.ready()
            self._remote.client.write("PATCH", f"/models/{quoted(given.what)}", body, key=given.key)
            return
        self._outbox.ready()
        path = self._version_at(given.what, "description")
        self._remote.client.write("PUT", path, {"description": given.text}, key=given.key)

    @over_http
    def archive(self, given: Any) -> None:
        self._archived(given, archived=True)

    @over_http
    def unarchive(self, given: Any) -> None:
        self._archived(given, archived=False)

    @over_http
    def record_metrics(self, given: Any) -> None:
        from ...versions.source import identity_of

        told = {"metrics": _figures(given.metrics), "validation": identity_of(given.validation), "task": given.task}
        told |= {"better": checked_better(given.better or {})}
        self._write("POST", self._version_at(given.rev, "metrics"), told, key=given.key)

    @over_http
    def define_metrics(self, given: Any) -> None:
        self._write("PATCH", model_at(given.model), {"better": checked_better(given.better)}, key=given.key)

    @over_http
    def clear(self, given: Any) -> Any:
        return self._write("POST", self._version_at(given.rev, "clearance"), {"reason": given.reason}, key=given.key)

    @over_http
    def card(self, given: Any) -> Any:
        return self._read(self._version_at(given.rev, "card"), language=given.language)

    def _stored(self, rev: Any) -> checkout.StoredVersion:
        found = self._versions.stored(self._words(rev))
        version = found.version
        return checkout.StoredVersion(
            version,
            found.tensors,
            found.vault,
            found.graph,
            record=lambda: self.show(version),
            parents=lambda: found.facts["parents"],
            files=lambda: self._versions.files(self._words(version)),
        )

    def _archived(self, given: Any, *, archived: bool) -> None:
        self._write("PATCH", model_at(given.model), {"archived": archived, "reason": given.reason}, key=given.key)


def _figures(metrics: Any) -> Any:
    """Figures by name, as JSON has them."""
    return in_json(checked_metrics(metrics))


def _path(file: str | os.PathLike[str]) -> str:
    return os.fspath(file)
