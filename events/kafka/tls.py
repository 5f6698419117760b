"""TLS towards Kafka: whom a client trusts, and the certificate by which it shows who it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from ...errors import Malformed, Refused

if TYPE_CHECKING:
    from ssl import SSLContext, SSLError

CERTIFICATE: Final = "LEPTON_KAFKA_CERTIFICATE"
KEY: Final = "LEPTON_KAFKA_KEY"
PASSWORD: Final = "LEPTON_KAFKA_KEY_PASSWORD"  # noqa: S105 - the setting's name


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client's certificate and its key: files in PEM, or one with both; a key that is encrypted has a password."""

    file: Path
    key: Path
    password: str | None = field(default=None, repr=False)

    @classmethod
    def named(cls, file: Path | None, key: Path | None, password: str | None) -> Self | None:
        """The certificate that the settings name, None where none is; `Malformed` where they name a part of one."""
        if file is None:
            if key is not None or password is not None:
                raise Malformed(f"{KEY if key else PASSWORD} is set without {CERTIFICATE}; name the certificate too")
            return None
        return cls(file, key or file, password)

    def load(self, context: SSLContext) -> None:
        """Let a context show it. Raises `Refused`, never quoting the password, where it cannot be used."""
        from ssl import SSLError

        for setting, file in ((CERTIFICATE, self.file), (KEY, self.key)):
            _readable(setting, file)
        asked: list[None] = []

        def password() -> str:
            asked.append(None)  # without an answer of ours OpenSSL would ask at the terminal
            return self.password or ""

        try:
            context.load_cert_chain(self.file, self.key, password)
        except (SSLError, ValueError) as error:
            raise Refused(self._complaint(error, encrypted=bool(asked))) from error

    def _complaint(self, error: SSLError | ValueError, *, encrypted: bool) -> str:
        reason = getattr(error, "reason", None)
        if reason == "KEY_VALUES_MISMATCH":
            return f"the key {self.key} does not fit the certificate {self.file}; {KEY} names the one that does"
        if encrypted and self.password is None:
            return f"the key {self.key} is encrypted; {PASSWORD} is its password"
        if encrypted:
            return f"the key {self.key} does not open with that password; look at {PASSWORD}"
        return f"{self.file} and {self.key} hold no certificate with its key in PEM; look at {CERTIFICATE} and {KEY}"


def context(certificate: Certificate | None) -> SSLContext:
    """What a connection is made with: it trusts whom the system does, or whom the file SSL_CERT_FILE holds."""
    from ssl import create_default_context

    made = create_default_context()
    if certificate is not None:
        certificate.load(made)
    return made


def _readable(setting: str, file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}); look at {setting}") from error
