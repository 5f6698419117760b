"""How the server is reached, and what it lets through."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..addresses import is_loopback
from ..errors import Malformed, Refused
from ..projections.queries.child import QueryLimits

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
"""The names by which a server on this machine alone is called."""
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?")

LONGEST_SESSION: Final = 86_400
"""Seconds that a log-in lasts at most."""
QUERY: Final = QueryLimits(seconds=30.0, cpu_seconds=60, memory=1 << 30, answer=256 << 20)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one client and the server as a whole may take."""

    body: int = 64 << 20
    """Bytes of a body, where its route says no more."""
    json: int = 8 << 20
    """Bytes of a body of JSON."""
    seconds: float = 300.0
    """Until an answer begins."""
    silence: float = 30.0
    """Seconds in which a client must send the next bytes of a body."""
    requests: int = 200
    """At work at a time, streams apart."""
    requests_each: int = 100
    """At work of one token at a time."""
    streams: int = 500
    """Streams of events at a time."""
    streams_each: int = 100
    """Streams of events of one token."""
    queries: int = 4
    """Queries of SQL at work at a time; as many again, eight times, may wait."""
    queries_each: int = 4
    """Queries of one token at a time."""
    queries_minute: int = 240
    """Queries of one token within a minute."""
    query: QueryLimits = QUERY
    """What one query may take."""
    failures: int = 10
    """Logins of one address that fail within a minute before it has to wait."""


@dataclass(frozen=True, slots=True)
class LoginClient:
    """What the server is to its issuer, where people log in there."""

    id: str
    secret: str = field(default="", repr=False)
    """Empty for a public client, which proves itself by PKCE alone."""
    scopes: str = "openid"
    """What is asked for; `openid` is needed."""
    session: float = 3600.0
    """Seconds after which a browser is sent to the issuer again."""

    def __post_init__(self) -> None:
        if "openid" not in self.scopes.split():
            raise Malformed("the scopes of a log-in lack openid; add it to LEPTON_SERVE_CLIENT_SCOPES")
        if not 60 <= self.session <= LONGEST_SESSION:
            raise Malformed(f"a log-in lasts from 60 to {LONGEST_SESSION} seconds; set LEPTON_SERVE_SESSION to that")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID Connect issuer, and what its tokens say in which claims."""

    url: str
    audience: str
    """Whom tokens must be made out to."""
    actor: str = "sub"
    """The claim that names who acts."""
    scopes: str = "scope"
    """The claim, text or list, with words such as `lepton:read`."""
    models: str = "lepton_models"
    """The claim with globs of models; all, where it is absent."""
    client: LoginClient | None = None
    """What people log in by; without it tokens alone are taken."""

    def __post_init__(self) -> None:
        if not is_confidential(self.url):
            raise Malformed(f"{self.url[:100]!r} is no issuer; write its https:// address, as its tokens have it")
        if not self.audience:
            raise Malformed("an issuer's tokens are made out to an audience; name yours by LEPTON_SERVE_AUDIENCE")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where the server listens, by which names it is called, and whom it trusts to forward."""

    host: str = "127.0.0.1"
    port: int = 8400
    hosts: tuple[str, ...] = ()
    """The names, `NAME` or `NAME:PORT`, by which it is called; on loopback those of loopback, if none are given."""
    proxies: tuple[str, ...] = ()
    """Addresses, or networks, whose forwarded headers are believed."""
    certificate: Path | None = None
    key: Path | None = None
    root_path: str = ""
    """What a proxy takes off the front of the path."""
    issuer: Issuer | None = None
    """The OpenID Connect issuer whose tokens are taken."""
    limits: Limits = field(default_factory=Limits)
    works: bool = False
    """Whether the server does the jobs that no other worker is there to take."""

    def __post_init__(self) -> None:
        for name in self.hosts:
            if not _HOST.fullmatch(name):
                raise Malformed(f"{name[:100]!r} is no host's name; write NAME or NAME:PORT, without scheme or path")
        for address in self.proxies:
            try:
                ipaddress.ip_network(address, strict=False)
            except ValueError:
                raise Malformed(f"{address[:100]!r} is no address of a proxy; write an IP address or network") from None
        if (self.certificate is None) != (self.key is None):
            raise Refused("TLS needs a certificate and its key; give both files or neither")
        for file in filter(None, (self.certificate, self.key)):
            if not file.is_file():
                raise Refused(f"there is no file {file}; name the PEM file")
        if self.root_path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", self.root_path):
            raise Malformed(f"{self.root_path[:100]!r} is no path; write /NAME")

    @property
    def is_private(self) -> bool:
        """Whether nobody beyond this machine is meant to reach it."""
        return is_loopback(self.host) and not self.hosts and not self.proxies

    @property
    def scheme(self) -> str:
        """http, or https where it has a certificate."""
        return "https" if self.certificate else "http"


def issuer(env: Mapping[str, str] = os.environ) -> Issuer | None:
    """The issuer that LEPTON_SERVE_ISSUER names, with LEPTON_SERVE_AUDIENCE, its client and the claims that others
    name."""
    if not (url := env.get("LEPTON_SERVE_ISSUER")):
        return None
    named = {each: env.get(f"LEPTON_SERVE_{each.upper()}_CLAIM") for each in ("actor", "scopes", "models")}
    claims = {each: value for each, value in named.items() if value}
    return Issuer(url.rstrip("/"), env.get("LEPTON_SERVE_AUDIENCE") or "", **claims, client=_client(env))


def is_confidential(url: str) -> bool:
    """Whether what is sent to an address is read there alone: by https, or on this machine."""
    scheme, _, rest = url.partition("://")
    host, _ = split_host(rest.partition("/")[0])
    return bool(host) and (scheme == "https" or (scheme == "http" and is_loopback(host)))


def _client(env: Mapping[str, str]) -> LoginClient | None:
    if not (name := env.get("LEPTON_SERVE_CLIENT")):
        return None
    secret, session = "", env.get("LEPTON_SERVE_SESSION") or "3600"
    if file := env.get("LEPTON_SERVE_CLIENT_SECRET_FILE"):
        try:
            secret = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"the client's secret cannot be read from {file}; name a file that has it") from error
    if not session.isdecimal():
        raise Malformed(f"LEPTON_SERVE_SESSION is {session[:40]!r}; give whole seconds")
    return LoginClient(name, secret, env.get("LEPTON_SERVE_CLIENT_SCOPES") or "openid", float(session))


def split_host(host: str) -> tuple[str, str]:
    """A host's name and its port, which may be empty."""
    head, colon, port = host.rpartition(":")
    return (head, port) if colon and not host.endswith("]") else (host, "")


def listed(name: str, env: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The words of a setting of the environment."""
    return tuple((env.get(name) or "").replace(",", " ").split())
