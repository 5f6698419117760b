"""A client of a served ledger: JSON over httpx, and what its transfer of tensors does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from lepton_ai.errors import LeptonError
from lepton_ai.remote.saving import saved
from lepton_ai.remote.vault import RemoteVersions
from lepton_ai.results import Version
from lepton_ai.sent_errors import raised
from lepton_ai.tensors.tensor import Array
from lepton_ai.versions.save_request import asked_for, filled
from lepton_ai.versions.source import Subject


@dataclass
class Asking:
    """What the transfer of tensors needs of a client, and nothing more."""

    url: str
    token: str | None = None
    asked: list[str] = field(default_factory=list)
    """Each request of JSON, as its method and path."""

    def tls(self) -> None:
        return None

    def headers(self) -> Mapping[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self._told("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        return self._told("POST", path, json=body, headers={} if key is None else {"Idempotency-Key": key})

    def error(self, status: int, content: bytes) -> LeptonError:
        import json

        told = json.loads(content)
        return raised(told["lepton"]) if "lepton" in told else LeptonError(f"{status}: {told['detail']}")

    def _told(self, method: str, path: str, **options: Any) -> Any:
        self.asked.append(f"{method} {path}")
        headers = {**self.headers(), **options.pop("headers", {})}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=60, **options)
        if answer.status_code >= 400:
            raise self.error(answer.status_code, answer.content)
        return answer.json()


class Remote:
    """Saves and loads over HTTP, as a manager would."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.server = Asking(url, token)
        self._origins: WeakKeyDictionary[Any, Version] = WeakKeyDictionary()
        self.versions = RemoteVersions(self.server, self._origins.get, self._origins.__setitem__)

    def save(self, tensors: Mapping[str, Any], name: str, key: str = "", **asked: Any) -> Version:
        import uuid_utils

        subject = Subject(name=name, named=True, tensors=tensors)
        return saved(self.server, subject, filled(subject, asked_for(None, asked)), key or str(uuid_utils.uuid7()))

    def arrays(self, rev: str) -> dict[str, Array]:
        from lepton_ai.tensors.manifest import TensorEntry, zeroed

        def empty(dtype: str, shape: tuple[int, ...]) -> tuple[Array, Array]:
            made = zeroed(TensorEntry("", dtype, shape, ""))
            return made, made

        return self.versions.tensors(rev, None, empty)
