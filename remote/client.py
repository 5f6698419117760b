"""The client of a server: requests and answers, and refusals as the errors that the ledger raised."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, urlsplit

import uuid_utils

from ..errors import LeptonError, Malformed, Refused, Unavailable
from ..events import forks
from ..media import ANSWER, JSON
from ..provenance import installed
from ..sent_errors import raised
from ..versions.news import note
from .place import TOKEN, Place

if TYPE_CHECKING:
    import httpx

PREFIX: Final = "/api/v1"
_LONG: Final = 86_400.0
"""Seconds that an answer may take beyond what is waited for locks: an evaluation takes hours."""
_SILENCE: Final = 60.0
"""Seconds without a byte after which a stream is broken: a server says something every fifteen."""
_PAUSES: Final = (0.05, 0.5, 2.0)
"""Seconds before a request that broke off is sent again, under the same key."""
_LARGEST: Final = 1 << 20
"""Bytes read of a refusal."""


class Client:
    """JSON asked and told. Safe to share between threads; a forked child opens connections of its own.

    What a server refuses is raised as it was raised there. `Unavailable` carries the key under which to try again.
    """

    def __init__(self, place: Place, at: int | None = None) -> None:
        self.place = place
        self._at = at
        """The event behind which the ledger is looked at; None for now."""
        self._lock = threading.Lock()
        self._opened: httpx.Client | None = None
        self._seen = 0
        forks.guard(self)

    @property
    def url(self) -> str:
        """Where the server is."""
        return self.place.url

    def tls(self) -> ssl.SSLContext | None:
        """Whom to trust: LEPTON_CA_FILE, else None for whom this machine trusts."""
        if self.place.authorities is None:
            return None
        try:
            return ssl.create_default_context(cafile=self.place.authorities)
        except (OSError, ssl.SSLError) as error:
            raise Malformed(
                f"LEPTON_CA_FILE names {self.place.authorities}, which holds no certificates in PEM"
            ) from error

    def headers(self) -> Mapping[str, str]:
        """What every request bears."""
        own = {"User-Agent": f"lepton/{installed('lepton-ai-sdk') or 'unknown'}"}
        return own if self.place.token is None else own | {"Authorization": f"Bearer {self.place.token}"}

    def before_fork(self) -> None:
        """Nothing: whatever is under way is the parent's."""

    def after_fork(self, *, child: bool) -> None:
        """A child leaves its parent's connections alone."""
        if child:
            forks.abandon(self._opened)
            self._lock, self._opened = threading.Lock(), None

    def close(self) -> None:
        """Close the connections; the next request opens one."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    # ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a path answers."""
        return _json(self.request("GET", path, params=params))

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """The JSON that a path answers to a body, under an Idempotency-Key."""
        return _json(self.request("POST", path, body=body, key=key))

    def read(self, path: str, params: Mapping[str, Any] | None = None, *, accept: str = ANSWER) -> Any:
        """The answer that a path gives, as the manager there gave it."""
        return _answer(self.request("GET", path, params=params, headers={"Accept": accept}))

    def pages(self, path: str, params: Mapping[str, Any] | None = None, *, accept: str = ANSWER) -> Iterator[Any]:
        """The pages of a list, one answer after the other, as it stood when the first was asked for."""
        asked: Mapping[str, Any] | None = params
        while asked is not None:
            answer = self.request("GET", path, params=asked, headers={"Accept": accept})
            yield _answer(answer)
            following = answer.links.get("next", {}).get("url")
            asked = parse_qs(urlsplit(following).query) if following else None

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer to something that is recorded, once under its key, a fresh one where none is given; or judged."""
        accept, key = {"Accept": ANSWER, **(headers or {})}, key or str(uuid_utils.uuid7())
        return _answer(self.request(method, path, body=body, key=key, params=params, headers=accept))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """One request and its answer, read whole; sent again where the connection broke off, which harms nothing.

        What was written here before is seen by what is read later.
        """
        sent = dict(headers or {}) | ({} if key is None else {"Idempotency-Key": key})
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body, allow_nan=False).encode(), JSON
        asked = self._asked(method, params)
        for pause in (*_PAUSES, None):
            begun = time.monotonic()
            try:
                with _translated(self.place, key):
                    answer = self._http().request(
                        method, f"{PREFIX}{path}", params=asked, content=content, headers=sent
                    )
                break
            except _Broken as broken:
                if pause is None or time.monotonic() - begun + pause > self.place.wait:
                    raise broken.told from broken.__cause__
                time.sleep(pause)
        else:
            raise AssertionError  # the last attempt has ended in one of two ways
        return self._taken(answer, key)

    @contextmanager
    def stream(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        silence: float = _SILENCE,
    ) -> Generator[httpx.Response]:
        """An answer that is read as it comes. Raises `Unavailable` where it breaks off or is silent so long."""
        try:
            with (
                _translated(self.place, None),
                self._http().stream(
                    "GET",
                    f"{PREFIX}{path}",
                    params=self._asked("GET", params),
                    headers=dict(headers or {}),
                    timeout=self._patience(silence),
                ) as answer,
            ):
                if answer.status_code >= 300:
                    answer.read()
                    self._taken(answer, None)
                yield answer
        except _Broken as broken:
            raise broken.told from broken.__cause__

    def error(self, status: int, content: bytes) -> LeptonError:
        """What an answer of 300 and above says, as the error that it stands for."""
        try:
            problem = json.loads(content[:_LARGEST])
            told, sentence = problem.get("lepton"), str(problem["detail"])
            if told is not None:
                return raised(told)
        except (ValueError, TypeError, KeyError, AttributeError):
            return self._stranger(status)
        if status == 401:
            return Refused(sentence if TOKEN in sentence else f"{sentence}; {TOKEN} holds the token to send")
        if status in (408, 429, 502, 503, 504):
            return Unavailable(sentence)
        if status >= 500:
            return LeptonError(sentence)
        return Malformed(sentence) if status in (400, 413, 415) else Refused(sentence)

    def _patience(self, reading: float) -> httpx.Timeout:
        import httpx

        wait = max(0.1, self.place.wait)
        return httpx.Timeout(wait + reading, connect=wait, write=wait + _SILENCE, pool=wait)

    def _asked(self, method: str, params: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
        """Parameters that say anything; one's own writes are waited for."""
        pairs: list[tuple[str, Any]] = []
        for name, value in (params or {}).items():
            several = cast("list[Any]", value) if isinstance(value, list | tuple) else [value]
            pairs += [(name, _text(each)) for each in several if each is not None]
        if self._at is not None and not {"at", "cursor"} & (params or {}).keys():
            pairs.append(("at", str(self._at)))
        if method == "GET" and self._seen and not {"wait_for", "cursor"} & (params or {}).keys():
            pairs.append(("wait_for", str(self._seen)))
        return pairs

    def _taken(self, answer: httpx.Response, key: str | None) -> httpx.Response:
        if (seq := answer.headers.get("Lepton-Seq", "")).isdecimal():
            self._seen = max(self._seen, int(seq))
        if answer.status_code < 300:
            if "Lepton-News" in answer.headers:
                note(int(seq) if answer.headers["Lepton-News"] == "true" else None)
            return answer
        error = self.error(answer.status_code, answer.content)
        if isinstance(error, Unavailable):
            error.key = error.key or key
        raise error

    def _stranger(self, status: int) -> LeptonError:
        host = self.place.host
        if 300 <= status < 400:
            return Refused(f"{host} sends on to another address, which Lepton does not follow; name that one")
        if status in (408, 429) or status >= 500:
            return Unavailable(f"{host} answered {status} before Lepton was asked; try again")
        return Refused(f"{host} answered {status}, which is no answer of Lepton's; see to the address")

    def _http(self) -> httpx.Client:
        with self._lock:
            if self._opened is None:
                import httpx

                is_secured = self.place.url.startswith("https://")
                self._opened = httpx.Client(
                    base_url=self.place.url,
                    headers=dict(self.headers()),
                    timeout=self._patience(_LONG),
                    # without TLS no certificates are read, which takes longer than a short answer
                    verify=self.tls()
                    or (ssl.create_default_context() if is_secured else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
                    trust_env=is_secured,  # no proxy stands before this machine itself
                )
            return self._opened


class _Broken(Exception):
    """The connection broke off, or there was none."""

    def __init__(self, told: Unavailable) -> None:
        self.told = told


@contextmanager
def _translated(place: Place, key: str | None) -> Generator[None]:
    """What httpx raises, as what it means; nothing of a token is in it."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        raise _Broken(Unavailable(f"{place.host} did not answer in time; try again", key=key)) from error
    except httpx.TransportError as error:
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            raise Malformed(f"{place.host} cannot be asked so ({error}); see to the address") from error
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Refused(
                f"{place.host} shows a certificate that this machine does not trust; LEPTON_CA_FILE names the file of "
                "those to trust"
            ) from error
        raise _Broken(Unavailable(f"{place.host} cannot be reached ({_why(error)}); try again", key=key)) from error


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _json(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        raise Refused("the server's answer is no JSON; see to the address, and to what stands before it") from None


def _answer(answer: httpx.Response) -> Any:
    from ..results.wire import read

    media = answer.headers.get("Content-Type", "").partition(";")[0]
    return read(answer.content) if media == ANSWER else _json(answer)
