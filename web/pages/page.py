"""What a page works with: who asks, as of when, in which language; and how what it has becomes HTML or JSON."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ...errors import LeptonError, Malformed, Unavailable
from ...media import JSON
from ...results.words import CHOSEN, Language, language
from ..caller import encoded
from ..problems import kind_of, of_error
from ..routing import unquoted
from .forms import TypedFields, form_of
from .html import rendered, translated
from .waiting import LateResponse

if TYPE_CHECKING:
    from ...domain.access.rights import Scope
    from ...manager import ModelManager
    from ...versions.workspace import Workspace
    from ...wiring import Home
    from ..door.visitor import Visitor
    from ..served import ServedLedger

LANGUAGE: Final = "lepton-language"
"""The cookie that holds the language that a reader chose."""
_BOUND: Final = frozenset({"key", "expected", "epoch", "status"})
"""Fields that bind a form to what its page showed."""
_ACCEPTED: Final = re.compile(r"\s*([a-zA-Z]{1,8})(?:-[\w-]*)?\s*(?:;\s*q=([0-9.]+))?")


@dataclass
class PageView:
    """What a page shows: a template's data, and what of it is told as JSON."""

    data: Mapping[str, Any]
    told: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    error: LeptonError | None = None
    """What was refused, where the page says so beside what was typed; as JSON it is a problem."""


class Visit:
    """One request for a page."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.visitor: Visitor | None = request.scope.get("lepton.visitor")
        """Who asks; None where nobody need be known."""
        self.service: ServedLedger = request.app.state.service
        self.said: Mapping[str, str] = {}
        """The form that was refused, where the page comes back with it."""
        self.waits: list[Future[Any]] = []
        """What is waited for, `patience` seconds at most, before the page is made of what its function returned."""
        self.patience = 0.0

    @cached_property
    def at(self) -> str | None:
        """The place in the log that the page is of, None for now."""
        return self.request.query_params.get("at") or None

    @cached_property
    def present(self) -> ModelManager:
        """The ledger as it is, acting as whoever asks."""
        assert self.visitor is not None  # the door lets nobody else here
        return self.service.acting(self.visitor)

    @cached_property
    def manager(self) -> ModelManager:
        """The ledger as the page is of it."""
        return self.present if self.at is None else self.present.as_of(self.at)

    @cached_property
    def home(self) -> Home:
        """The parts of the ledger, with the rights of whoever asks."""
        assert self.visitor is not None  # the door lets nobody else here
        return self.service.home.acting(self.visitor.actor, self.visitor.rights)

    @cached_property
    def workspace(self) -> Workspace:
        """What the ledger holds, as the page is of it and as whoever asks may read it."""
        now = self.home.workspace
        return now if self.at is None else now.as_of(self.end)

    @cached_property
    def end(self) -> int:
        """The seq of the last event that the page is of."""
        return self.manager.position()

    @cached_property
    def place(self) -> int | None:
        """As `end`; None where the ledger cannot tell, or has no such place: the page says why."""
        try:
            return self.end
        except LeptonError:
            return None

    @cached_property
    def language(self) -> Language:
        """The reader's: chosen by `lang=`, before, or by the browser; else the server's."""
        chosen = self.request.query_params.get("lang") or self.request.cookies.get(LANGUAGE)
        if chosen in ("zh", "en"):
            return chosen
        return accepted_language(self.request) or language()

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the address, or of the form that was refused. Raises `Malformed` where it is given twice."""
        self.check_single(name)
        return self.said[name] if name in self.said else self.request.query_params.get(name, default)

    def check_single(self, name: str) -> None:
        """Raise `Malformed` where a parameter of the address is given twice: one of the two would not be heeded."""
        if len(self.request.query_params.getlist(name)) > 1:
            raise Malformed(f"{name} is given twice in the address; give it once")

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 among the parameters. Raises `Malformed`."""
        words = self.asked(name) or str(default)
        if not words.isdecimal() or not 0 < int(words[:9]) <= most or len(words) > 9:
            raise Malformed(f"{name} is {words[:40]!r}; give a whole number from 1 to {most:,}")
        return int(words)

    def link(self, *parts: Any, **params: Any) -> str:
        """The address of a page, as of the same moment; parts are quoted, a dot too, for `.json` is another form."""
        path = "/" + "/".join(quote(str(part), safe="~@{}").replace(".json", "%2Ejson") for part in parts)
        return _with(path, {"at": self.at, **params})

    def here(self, **params: Any) -> str:
        """This page's own address with other parameters; None takes one away."""
        return _with(self.path, {**self._parameters, **params})

    def elsewhere(self, *parts: Any, **params: Any) -> Response:
        """Send to another page, asked for as this one was: in its form, with its parameters but for those given."""
        path = self.link(*parts).partition("?")[0] + (".json" if self.request.scope["path"].endswith(".json") else "")
        return RedirectResponse(_with(path, {**self._parameters, **params}), 303)

    @property
    def path(self) -> str:
        """The address of this page without parameters."""
        return "/" + self.request.scope["path"].removesuffix(".json").lstrip("/")

    @property
    def other_parameters(self) -> list[tuple[str, str]]:
        """The parameters of the address but for the moment."""
        return [pair for pair in self.request.query_params.multi_items() if pair[0] not in ("at", "lang")]

    @property
    def tab(self) -> str:
        """Which of a model's pages this is."""
        return self.path.split("/")[3] if self.path.count("/") > 2 else ""

    def is_under(self, place: str) -> bool:
        """Whether this page is one of those that a link of the head leads to."""
        first = self.path.split("/")[1]
        return first in ("", "m", "models") if not place else first == place

    def may(self, scope: Scope, model: str | None = None) -> bool:
        """Whether whoever reads may do something here: never in the past."""
        return self.at is None and self.visitor is not None and self.visitor.rights.may(scope, model)

    def leads_to(self, place: str) -> bool:
        """Whether whoever reads may see what a link of the head leads to."""
        assert self.visitor is not None  # nobody else has a head with links
        rights = self.visitor.rights
        return rights.unlimited if place == "tokens" else place != "sql" or (rights.everywhere and rights.may("sql"))

    @property
    def is_json(self) -> bool:
        """Whether it is asked for as JSON."""
        return self.request.scope["path"].endswith(".json")

    @property
    def as_json(self) -> str:
        """The address of this page as JSON."""
        return _with(f"{self.path if self.path != '/' else '/models'}.json", self._parameters)

    @property
    def _parameters(self) -> dict[str, list[str]]:
        several: dict[str, list[str]] = {}
        for name, value in self.request.query_params.multi_items():
            several.setdefault(name, []).append(value)
        return several

    @cached_property
    def now(self) -> datetime | None:
        """The moment that times are told relative to; none for the past, which reads the same whenever it is read."""
        return datetime.now(UTC) if self.at is None else None


def accepted_language(request: Request) -> Language | None:
    """Chinese or English, whichever the browser likes better; None where it names neither."""
    best: tuple[float, Language | None] = (0.0, None)
    for each in request.headers.get("accept-language", "").split(",")[:20]:
        if (match := _ACCEPTED.fullmatch(each)) and match[1].lower() in ("zh", "en"):
            weight = float(match[2]) if match[2] and match[2].count(".") < 2 and match[2] != "." else 1.0
            best = max(best, (weight, "zh" if match[1].lower() == "zh" else "en"), key=lambda pair: pair[0])
    return best[1]


def _with(path: str, params: Mapping[str, Any]) -> str:
    query = urlencode({name: value for name, value in params.items() if value is not None}, doseq=True)
    return f"{path}?{query}" if query else path


Looks = Callable[..., PageView | Response]
Acts = Callable[..., str | PageView]
First = Callable[[Request], Awaitable[None]]


class PageRoutes:
    """The routes of one subject."""

    def __init__(self) -> None:
        self.routes: list[BaseRoute] = []

    def page(
        self, path: str, template: str, first: First | None = None, *, few: bool = False
    ) -> Callable[[Looks], Looks]:
        """A page: its function is given a `Visit` and the parts of the address, and returns what is shown, or a
        response of its own. What it has to wait for is waited for `first`, so that no thread is held meanwhile; of
        those that read tensors a `few` are made at a time."""

        def routed(look: Looks) -> Looks:
            def shown(request: Request) -> Response:
                return answered(request, lambda page: html(page, template, look(page, **_parts(request))))

            def told(request: Request) -> Response:
                return answered(request, lambda page: _told(look(page, **_parts(request))), as_json=True)

            beside = "/models.json" if path == "/" else f"{path}.json"
            self.routes += [
                Route(place, _few(answer) if few else behind(first, answer) if first else answer, methods=["GET"])
                for place, answer in ((beside, told), (path, shown))
            ]
            return look

        return routed

    def act(self, path: str, template: str = "", again: Looks | None = None) -> Callable[[Acts], Acts]:
        """Something that is done by a form: its function is given a `Visit`, what the form says and the parts of the
        address, and returns where to go then, or what the template is to show: what was refused, a secret. Where it is
        refused, the page that `again` makes comes back with the reason and what was typed."""

        def routed(act: Acts) -> Acts:
            async def posted(request: Request) -> Response:
                try:
                    said = await form_of(request)
                except LeptonError as error:
                    return refused(Visit(request), kind_of(error).status, error.fact)

                def done(page: Visit) -> Response:
                    try:
                        if page.at is not None:
                            raise Malformed("nothing is done in the past; look at the page as it is now, and send it")
                        then = act(page, said, **_parts(request))
                    except LeptonError as error:
                        if again is None:
                            raise
                        return html(page, template, _typed(page, said, error, again))
                    return RedirectResponse(then, 303) if isinstance(then, str) else html(page, template, then)

                return await run_in_threadpool(answered, request, done)

            self.routes.append(Route(path, posted, methods=["POST"]))
            return act

        return routed


def _typed(page: Visit, said: Mapping[str, str], error: LeptonError, again: Looks) -> PageView:
    """A page as it is now with a form that was refused. Where it is not known whether it acted, the form stays bound to
    what it was bound to; else it is bound anew, to what is shown now."""
    page.at, page.said = None, said
    shown = again(page, **_parts(page.request))
    if not isinstance(shown, PageView):
        raise error
    kept = said if isinstance(error, Unavailable) else {name: said[name] for name in said if name not in _BOUND}
    typed = TypedFields(kept)
    return PageView({**shown.data, "typed": typed, "sentence": error.fact}, status=kind_of(error).status)


def behind(first: First, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An answer that is made once something else is done."""

    async def answered_then(request: Request) -> Response:
        await first(request)
        return await run_in_threadpool(answer, request)

    return answered_then


def _few(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def answered_in_turn(request: Request) -> Response:
        async with request.app.state.service.comparing:
            return await run_in_threadpool(answer, request)

    return answered_in_turn


def _parts(request: Request) -> dict[str, str]:
    return {name: unquoted(value) for name, value in request.path_params.items()}


def answered(request: Request, answer: Callable[[Visit], Response], *, as_json: bool = False) -> Response:
    """What a page answers, in its reader's language; what the ledger refuses as a page, or as a problem."""
    page = Visit(request)
    mark = CHOSEN.set(page.language)
    try:
        page.check_single("at")
        return answer(page)
    except LeptonError as error:
        return of_error(error, request) if as_json else refused(page, kind_of(error).status, error.fact)
    finally:
        CHOSEN.reset(mark)


def refused(page: Visit, status: int, sentence: str) -> Response:
    """A page that says why there is none; it is of now, whatever moment was asked for."""
    page.at = None
    mark = CHOSEN.set(page.language)
    try:
        return html(page, "refused", PageView({"status": status, "sentence": translated(sentence)}, status=status))
    finally:
        CHOSEN.reset(mark)


def html(page: Visit, template: str, shown: PageView | Response) -> Response:
    """What is shown, by a template; a response is one already."""
    if isinstance(shown, Response):
        return shown

    def made(_: Visit) -> Response:
        content = rendered(f"{template}.html.j2", page, shown.data)
        return Response(content, shown.status, {"Vary": "Cookie, Accept-Language", **shown.headers}, "text/html")

    if all(each.done() for each in page.waits):
        return made(page)
    return LateResponse(page.waits, page.patience, partial(answered, page.request, made))


def _told(shown: PageView | Response) -> Response:
    if isinstance(shown, Response):
        return shown
    if shown.error is not None:
        raise shown.error
    return Response(encoded(shown.told), shown.status, shown.headers, JSON)
