"""Where a ledger's topics are: the brokers, the topics' names, and how a client gets in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from ...errors import Malformed
from .tls import CERTIFICATE, Certificate, context

TopicName = Literal["events", "commands", "results", "inbox", "rejected", "heads"]
_PROTOCOLS: Final = {"": "PLAINTEXT", "kafka": "PLAINTEXT", "kafka+ssl": "SSL", "kafka+sasl": "SASL_SSL"}
SHORTEST: Final = 10.0
"""Seconds: brokers that elect a leader take some, whatever LEPTON_WAIT says of locks."""
_SERVER: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One ledger's topics on one Kafka. `LEPTON_KAFKA` is `host:port[,host:port]`, or a URL where that is not all:
    `kafka+ssl://host:port`, `kafka+sasl://user:password@host:port` (SCRAM-SHA-512 over TLS). Over TLS a client may show
    a certificate of its own.
    """

    servers: tuple[str, ...]
    ledger: str = "main"
    prefix: str = "lepton"
    protocol: str = "PLAINTEXT"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate: Certificate | None = None
    wait: float = 30.0
    """Seconds that any answer of the brokers is waited for, and never less than `shortest`."""
    shortest: float | None = None
    """`SHORTEST` where it is left out; who only looks around waits for less."""

    @classmethod
    def parsed(
        cls,
        text: str,
        ledger: str = "main",
        prefix: str = "lepton",
        certificate: Certificate | None = None,
        wait: float = 30.0,
    ) -> Cluster:
        """The cluster that `LEPTON_KAFKA` names; `Malformed`, never quoting a password, where it names none."""
        scheme, _, rest = text.rpartition("://")
        user, at, places = rest.rpartition("@")
        servers = tuple(place.strip() for place in places.strip("/").split(","))
        if scheme not in _PROTOCOLS or not all(map(_SERVER.fullmatch, servers)) or bool(at) != (scheme == "kafka+sasl"):
            raise Malformed(
                "LEPTON_KAFKA names no brokers; write host:port[,host:port], "
                "kafka+ssl://host:port or kafka+sasl://user:password@host:port"
            )
        protocol = _PROTOCOLS[scheme]
        if certificate is not None and protocol == "PLAINTEXT":
            raise Malformed(
                f"{CERTIFICATE} is shown over TLS only; LEPTON_KAFKA begins with kafka+ssl:// or kafka+sasl:// then"
            )
        given = urlsplit(f"//{user}@x") if at else None
        name, password = (given.username, given.password) if given else (None, None)
        return cls(
            servers, ledger, prefix, protocol, name and unquote(name), password and unquote(password), certificate, wait
        )

    @property
    def deadline(self) -> float:
        """Seconds after which a broker that does not answer is away."""
        return max(self.wait, SHORTEST if self.shortest is None else self.shortest)

    @property
    def name(self) -> str:
        """What messages call it: never a password."""
        return f"Kafka at {', '.join(self.servers)}"

    def topic(self, name: TopicName) -> str:
        """A topic's full name; every ledger has its own."""
        ledger = "" if self.ledger == "main" else f".{self.ledger}"
        return f"{self.prefix}{ledger}.{name}"

    def client(self) -> dict[str, Any]:
        """How aiokafka's clients reach it. Raises `Refused` where its certificate cannot be used."""
        known: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "security_protocol": self.protocol,
            "request_timeout_ms": 10_000,
        }
        if self.protocol != "PLAINTEXT":
            known["ssl_context"] = context(self.certificate)
        if self.user is not None:
            known |= {"sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": self.user}
            known["sasl_plain_password"] = self.password
        return known
