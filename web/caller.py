"""What a handler works with: the ledger as the caller may use it, and how its answer is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from fastapi import Depends
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from ..errors import Malformed
from ..ledger.transaction import LONGEST_KEY
from ..media import ANSWER as ANSWER
from ..media import JSON as JSON
from ..results.answer import plain
from ..versions.news import noted
from .negotiation import accepted
from .preconditions import of_name

if TYPE_CHECKING:
    from ..domain.access.rights import Scope
    from ..manager import ModelManager
    from ..results import LastMove
    from ..versions.workspace import Workspace
    from .door.visitor import Visitor
    from .served import ServedLedger

T = TypeVar("T")

ANY: Final = "-"
"""In the place of a model: the one that a revision names, or the only one."""
IMMUTABLE: Final = "private, max-age=31536000, immutable"


class Caller:
    """Who asks, of what ledger, and how the answer is to be told."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.visitor: Visitor = request.scope["lepton.visitor"]
        self.service: ServedLedger = request.app.state.service
        self.recorded: int | None = None
        """The seq of what a write recorded, once it has; None where it found all as it was asked for."""

    @cached_property
    def manager(self) -> ModelManager:
        """The ledger, acting as the caller, with the caller's rights; for a read as it was `at` a place in the log."""
        manager = self.service.acting(self.visitor)
        return manager if self.at is None else manager.as_of(self.at)

    @cached_property
    def workspace(self) -> Workspace:
        """What the ledger holds, with the caller's rights; for a read as it was `at` a place in the log."""
        now = self.service.home.acting(self.visitor.actor, self.visitor.rights).workspace
        return now if self.at is None else now.as_of(self.manager.position())

    @property
    def key(self) -> str | None:
        """The key under which a write acts once, however often it is sent."""
        return key_of(self.request.headers)

    @cached_property
    def after(self) -> ModelManager:
        """The ledger as a write that is done left it, whatever came since: it may be one that was sent again."""
        return self.manager if self.recorded is None else self.manager.as_of(self.recorded)

    @property
    def at(self) -> str | None:
        """The place in the log that a read is of, None for now."""
        return self.request.scope.get("lepton.at")

    def precondition(self) -> LastMove | None:
        """The last move that If-Match and If-None-Match expect of a name."""
        return of_name(self.request.headers)

    def needs(self, scope: Scope, model: str | None = None) -> None:
        """Raise `Forbidden` where the caller may not."""
        self.visitor.rights.check(scope, model)

    def model(self, model: str) -> str | None:
        """The model of an address, None where a revision says which."""
        return None if model == ANY else model

    def rev(self, model: str, rev: str) -> str:
        """A revision of an address, with its model."""
        return rev if model == ANY else f"{model}@{rev}"

    def read(
        self, answer: Any, *, body: Any = None, etag: str | None = None, immutable: bool = False, status: int = 200
    ) -> Response:
        """An answer as JSON: `body`, or what it says of itself; or as the SDK reads it back. 304 where it is known."""
        media = accepted(self.request.headers.get("accept"), (JSON, ANSWER))
        headers = {"Vary": "Accept"}
        if etag is not None:
            headers["ETag"] = etag = f'"{etag}"'
            headers["Cache-Control"] = IMMUTABLE if immutable else "private, no-cache"
            if etag in known_tags(self.request.headers.get("if-none-match")):
                return Response(None, 304, headers)
        return Response(self._told(answer, body, media), status, headers, media)

    def wrote(
        self,
        act: Callable[[], T],
        *,
        tell: Callable[[ModelManager, T], Any] | None = None,
        body: Callable[[Any], Any] | None = None,
        status: int = 200,
        location: Callable[[Any], str] | None = None,
        etag: Callable[[Any], str | None] | None = None,
    ) -> Response:
        """Do something that is recorded, and answer with what came of it, and with the seq of it in `Lepton-Seq`.

        `tell` reads the answer from the ledger as the write left it, so that it is the same whenever it is sent again.
        """
        media = accepted(self.request.headers.get("accept"), (JSON, ANSWER))
        with noted() as news:
            answer = act()
        self.recorded = news.seq
        if tell is not None:
            answer = tell(self.after, answer)
        headers = {"Lepton-Seq": str(news.seq or self.service.end()), "Vary": "Accept"}
        headers["Lepton-News"] = "true" if news() else "false"  # false: what was asked for stood already
        if location is not None:
            headers["Location"] = self.request.scope.get("root_path", "") + location(answer)
        if etag is not None and (tag := etag(answer)) is not None:
            headers["ETag"] = f'"{tag}"'
        content = self._told(answer, None if body is None else body(answer), media)
        return Response(content, status, headers, media)

    def _told(self, answer: Any, body: Any, media: str) -> bytes:
        if media == ANSWER:
            from ..results.wire import packed

            return to_json(packed(answer))
        return encoded(answer if body is None else body)


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key that a request bears. Raises `Malformed` on one that is none."""
    key = headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Malformed(f"Idempotency-Key is no key; give 1 to {LONGEST_KEY} printable characters of ASCII")
    return key


def encoded(answer: Any) -> bytes:
    """An answer as JSON, as `--json` prints it."""
    if answer is None:
        return b"{}"
    told = answer.to_dict() if hasattr(answer, "to_dict") else answer
    return to_json(plain(told), inf_nan_mode="strings")


def known_tags(header: str | None) -> frozenset[str]:
    """The entity tags that a client has already, weak ones as strong: their content is what is compared (RFC 9110)."""
    return frozenset(tag.strip().removeprefix("W/") for tag in (header or "").split(",") if tag.strip())


Call = Annotated[Caller, Depends(Caller)]
