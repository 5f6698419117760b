"""Methods of the manager that a server is asked: what they take and say is the local manager's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from weakref import WeakKeyDictionary

from ...domain.access.rights import ALL
from ...errors import Refused
from ...manager import ModelManager
from ...results import PendingVersion, Version
from ...versions.save_request import words
from ..place import Place

if TYPE_CHECKING:
    from ..home import RemoteHome

PAGE: Final = 1000
"""Rows of a page, the most that a server gives."""
HERE: Final = "this is done on the ledger's own machine; give its home as a folder there"


def over_http(method: Callable[[Any, Any], Any]) -> Any:
    """A method with the signature and words of the local manager's; it is given the arguments by their names."""
    local = getattr(ModelManager, method.__name__)
    signature = inspect.signature(local)

    @wraps(local)
    def asked(self: Any, *args: Any, **named: Any) -> Any:
        bound = signature.bind(self, *args, **named)
        bound.apply_defaults()
        return method(self, SimpleNamespace(**bound.arguments))

    return asked


def on_its_machine(name: str) -> Any:
    """A method of the local manager that needs the ledger's own machine: `Refused`."""

    @wraps(getattr(ModelManager, name))
    def refused(self: Any, *_: Any, **__: Any) -> Any:
        raise Refused(f"{name} needs the ledger's files, and {self.place.host} is a server; {HERE}")

    return refused


class Asking(ModelManager):
    """What all methods have in common that ask a server."""

    place: Place
    _remote: RemoteHome

    def _open_place(self, place: Place, strict: bool, at: int | None = None) -> None:
        from ..home import RemoteHome

        self.place = place
        self._strict = strict
        self._opened = {}
        self._root, self._rights, self._past = None, ALL, at
        self._origins: WeakKeyDictionary[Any, Version | PendingVersion] = WeakKeyDictionary()
        self._remote = RemoteHome(place, strict, self._origins, at)

    @property
    def _home(self) -> Any:
        """The parts that the local manager's own methods use: the outbox, and what stands behind it."""
        return self._remote

    def _read(self, path: str, **params: Any) -> Any:
        return self._remote.client.read(path, params)

    def _write(self, method: str, path: str, body: Mapping[str, Any] | None = None, **how: Any) -> Any:
        """Have something recorded, behind all that waits in the spool: what it changes came later."""
        self._outbox.ready()
        return self._remote.client.write(method, path, None if body is None else told(body), **how)

    def _judge(self, path: str, body: Mapping[str, Any], **how: Any) -> Any:
        """Have something judged of which nothing is recorded."""
        return self._remote.client.write("POST", path, told(body), **how)

    def _words(self, rev: Any) -> str:
        """A revision as text that says all it knows. Raises `Unavailable` where it is pending still."""
        return words(self._arrived(rev))

    def _within(self, model: str | None, rev: Any) -> str:
        """A revision of a model that the path names: without the model's name, where it has that."""
        words = self._words(rev)
        return words if model is None else words.removeprefix(f"{model}@")

    def _version_at(self, rev: Any, *rest: str) -> str:
        """The path of a version, or of what stands below it."""
        return "/".join((f"/models/-/versions/{quoted(self._words(rev))}", *rest))


def model_at(model: str | None, *rest: str) -> str:
    """The path of a model, or of what stands below it."""
    return "/".join(("/models", "-" if model is None else quoted(model), *rest))


def quoted(name: str) -> str:
    """A name as a part of a path; those that servers and proxies take for steps are no names of anything."""
    return quote(name, safe="")


def told(body: Mapping[str, Any]) -> dict[str, Any]:
    """What was said: nothing is sent for what was not."""
    return {name: value for name, value in body.items() if value is not None and value not in ((), {}, [], "")}
