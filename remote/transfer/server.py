"""What the transfer of tensors needs of the client that talks to a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import LeptonError

if TYPE_CHECKING:
    from ssl import SSLContext


class JsonServer(Protocol):
    """JSON asked and told, in which what is refused is raised as Lepton's own errors; and what opens connections.

    Bytes have connections of their own (`connections.py`): they are read to where they are wanted, and sent
    from where they lie. Paths begin behind `/api/v1`, and are quoted already.
    """

    @property
    def url(self) -> str:
        """Where the server is, as it was given: scheme, host, port and perhaps a path, without a slash at its end."""
        ...

    def tls(self) -> SSLContext | None:
        """Whom to trust where the URL is https; None for whom this machine trusts."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What every request bears: who asks, and with which client."""
        ...

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON that a path answers."""
        ...

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """The JSON that a path answers to a body, under an Idempotency-Key."""
        ...

    def error(self, status: int, content: bytes) -> LeptonError:
        """What an answer of 400 and above says, as the error that it stands for."""
        ...
