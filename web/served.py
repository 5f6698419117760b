"""What all requests share: the ledger, its read model kept up to date, and who tokens belong to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Final

from anyio import CapacityLimiter

from ..errors import LockHeld
from ..jobs.standby import StandingBy
from ..supervised import Supervised
from ..versions.data.uploaded import Uploads
from .door.lane import Lane
from .door.login import SEALED, IssuerLogin
from .door.oidc import Issued
from .door.seal import Seal
from .door.visitor import Visitor
from .drawings import Drawings
from .following.streams import Streams
from .following.tail import Tail
from .options import ServeOptions
from .pages.tree.kept import KeptTrees
from .queries import Queries
from .rates import LatelyGood, Rate

if TYPE_CHECKING:
    from ..events.actor import Actor
    from ..manager import ModelManager
    from ..wiring import Home

FRESH: Final = 1.0
"""Seconds for which it is believed that a ledger has tokens, or none, and that the key of sessions stands."""
SIGNER: Final = "lepton pages"
"""The actor whose key signs sessions and cursors."""
PATIENCE: Final = 5.0
"""Seconds that the views' projector has to end: an interpreter that ends while DuckDB works is aborted."""
_LOOKS: Final = 0.5
_READ: Final = 4
"""Rows that were sent and are read at a time; more wait."""
_COMPARE: Final = 2
"""Requests at a time that compare tensors; more wait."""
_JUDGE: Final = 4
"""Requests at a time that judge versions on rows, or restore them; more wait."""
_ENTER = (4, 100)
"""Log-ins at a time that ask the issuer, and how many wait."""
_DOUBT = (2, 100)
"""Tokens at a time that are looked up of addresses of which many were refused, and how many wait."""


class ServedLedger:
    """The ledger as it is served: `manager` acts as this process's user, `home` has the parts."""

    def __init__(self, manager: ModelManager, home: Home, options: ServeOptions) -> None:
        self.manager = manager
        self.home = home
        self.options = options
        self.ending = Event()
        """Set when the server is told to stop: streams end."""
        self.uploads = Uploads(home.settings.home / "incoming" / home.settings.ledger / "rows")
        self._has_tokens = (0.0, False)
        self._signer: tuple[float, Actor] | None = None
        self._issued = Issued(options.issuer) if options.issuer else None

    @property
    def user(self) -> str:
        """Who runs the server, and acts where no token is needed."""
        return self.home.settings.actor

    def acting(self, visitor: Visitor) -> ModelManager:
        """The ledger's door, as a visitor may use it."""
        return self.manager.acting(visitor.actor, visitor.rights)

    def end(self) -> int:
        """The seq of the last event."""
        return self.manager.position()

    @cached_property
    def queries(self) -> Queries:
        """Strangers' queries."""
        return Queries(self.home, self.options.limits)

    @cached_property
    def drawings(self) -> Drawings:
        """The charts of the pages."""
        return Drawings()

    @cached_property
    def streams(self) -> Streams:
        """The streams of events that are open."""
        return Streams(self.options.limits.streams, self.options.limits.streams_each)

    @cached_property
    def reading(self) -> CapacityLimiter:
        """Places for those whose rows are being read."""
        return CapacityLimiter(_READ)

    @cached_property
    def comparing(self) -> CapacityLimiter:
        """Places for those whose versions are compared tensor by tensor."""
        return CapacityLimiter(_COMPARE)

    @cached_property
    def judging(self) -> CapacityLimiter:
        """Places for those whose versions are judged on rows, or restored."""
        return CapacityLimiter(_JUDGE)

    @cached_property
    def entering(self) -> Lane:
        """Where log-ins ask the issuer."""
        return Lane(*_ENTER)

    @cached_property
    def doubted(self) -> Lane:
        """Where tokens are looked up of addresses of which many were refused."""
        return Lane(*_DOUBT)

    @cached_property
    def known(self) -> LatelyGood:
        """The tokens that were good lately."""
        return LatelyGood()

    @cached_property
    def trees(self) -> KeptTrees:
        """The trees of histories that pages asked for."""
        return KeptTrees()

    @cached_property
    def failures(self) -> Rate:
        """How often each address was refused a token."""
        return Rate(self.options.limits.failures)

    @cached_property
    def tail(self) -> Tail:
        """What wakes them."""
        return Tail(lambda: (self.home.workspace.ledger.store, self.home.workspace.actors), self.ending)

    @property
    def page_key(self) -> bytes:
        """What signs the cursors of pages: a key of the ledger's outside its log, so that all its servers have it.

        It is that of an actor who does nothing else; once they are forgotten, cursors and sessions given out before
        are void within a second.
        """
        return self._key(b"cursors")

    @cached_property
    def login(self) -> IssuerLogin | None:
        """How people log in at the issuer; None where they do not."""
        issuer = self.options.issuer
        if issuer is None or issuer.client is None or self._issued is None:
            return None
        return IssuerLogin(issuer, issuer.client, self._issued, Seal(lambda: self._key(b"sessions")))

    def has_tokens(self) -> bool:
        """Whether anybody holds a token that is good."""
        return any(token.is_good for token in self.manager.tokens())

    async def is_open(self) -> bool:
        """Whether this machine's user needs no token: nobody beyond it is meant to come, and there are no tokens."""
        if not self.options.is_private:
            return False
        until, has_tokens = self._has_tokens
        if time.monotonic() >= until:
            has_tokens = await asyncio.to_thread(self.has_tokens)
            self._has_tokens = time.monotonic() + FRESH, has_tokens
        return not has_tokens

    def visitor(self, secret: str) -> Visitor | None:
        """Whom a token, or a session, belongs to; None where it is not good."""
        if secret.startswith(SEALED):
            return None if self.login is None else self.login.visitor(secret)
        if self._issued is not None and secret.count(".") == 2:
            return self._issued.visitor(secret)
        holder = self.manager.holder(secret)
        return None if holder is None else Visitor(holder.owner, holder.rights, holder.token)

    def gave(self, secret: str) -> bool:
        """Whether a secret is a session that was given out here, though it may have ended."""
        return secret.startswith(SEALED) and self.login is not None and self.login.gave(secret)

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        """Have the read model kept up to date while requests are answered."""
        async with AsyncExitStack() as stack:
            views = Supervised(self._project, "views", PATIENCE)
            await asyncio.to_thread(views.__enter__)
            stack.push_async_callback(asyncio.to_thread, views.__exit__)
            stack.callback(self._close)
            if self.works:
                working = Supervised(self._work, "standing by", PATIENCE)
                await asyncio.to_thread(working.__enter__)
                stack.push_async_callback(asyncio.to_thread, working.__exit__)
            yield
            self.ending.set()
            self.uploads.close()

    @property
    def works(self) -> bool:
        """Whether the server does the jobs that no other worker is there to take; beside Kafka jobs are not its own."""
        return self.options.works and self.home.desk.here

    def _work(self, stop: Event) -> None:
        StandingBy(self.home.desk, self.home.workplace.post()).run(stop)

    def _close(self) -> None:
        if "queries" in vars(self):
            self.queries.close()
        if "drawings" in vars(self):
            self.drawings.close()

    def _key(self, use: bytes) -> bytes:
        until, signer = self._signer or (0.0, None)
        if signer is None or time.monotonic() >= until:
            signer = self.home.workspace.actors.named(SIGNER)
            self._signer = time.monotonic() + FRESH, signer
        return signer.digest(use).encode()

    def _project(self, stop: Event) -> None:
        """Keep the views up to date, unless another process of this home does."""
        while not stop.is_set():
            with suppress(LockHeld), self.home.follower() as follower:
                while not stop.wait(_LOOKS):
                    if follower.failure is not None:
                        raise follower.failure
            stop.wait(_LOOKS)
