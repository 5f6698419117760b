"""Where a server is, whom it is to be trusted by, and where what waits for it lies: read once from the environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from ..addresses import is_loopback
from ..errors import Malformed, Refused
from ..home import checked_path
from ..settings import Terms, language, seconds_in, terms_in

TOKEN: Final = "LEPTON_TOKEN"  # noqa: S105 - the name of the variable
_SECRET: Final = re.compile(r"[\x21-\x7e]{8,4096}")
_SAFE: Final = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger that a server has."""

    url: str
    """Scheme, host, port and perhaps a path, without a slash at its end."""
    wait: float
    """Seconds to wait for the server."""
    spool: Path
    """What waits for the server lies here."""
    language: Literal["zh", "en"]
    terms: Terms
    authorities: Path | None = None
    """A file of the certificates to trust, instead of those that this machine does."""
    token: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The server as it is called in sentences: host and port."""
        return urlsplit(self.url).netloc


def named(url: str, env: Mapping[str, str] = os.environ) -> Place:
    """The server of a URL. Raises `Malformed` where it is none, `Refused` where a token would be sent in the clear."""
    url = _checked(url)
    token = env.get(TOKEN) or None
    if token is not None and not _SECRET.fullmatch(token):
        raise Malformed(f"{TOKEN} has {len(token)} characters or one that no token has; set it to what was shown")
    if token is not None and url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
        raise Refused(f"{TOKEN} would be sent to {url} unencrypted; name an https:// address, or unset it")
    return Place(
        url=url,
        wait=seconds_in(env, "LEPTON_WAIT", 30.0),
        spool=_spool(url, env),
        language=language(env),
        terms=terms_in(env),
        authorities=_authorities(env),
        token=token,
    )


def _checked(url: str) -> str:
    """A URL without a slash at its end."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Malformed("the address of the server is no URL; give https://HOST[:PORT][/PATH]") from None
    if not parts.hostname or not url.isprintable() or " " in url or port == 0:
        raise Malformed("the address of the server is no URL; give https://HOST[:PORT][/PATH]")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Malformed(
            f"the address of a server is its host and path alone; leave out user, query and fragment, and set {TOKEN}"
        )
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _authorities(env: Mapping[str, str]) -> Path | None:
    if not (given := env.get("LEPTON_CA_FILE")):
        return None
    file = checked_path(given, "LEPTON_CA_FILE")
    if not file.is_file():
        raise Malformed(f"LEPTON_CA_FILE names {file}, which is no file; name one with certificates in PEM")
    return file


def _spool(url: str, env: Mapping[str, str]) -> Path:
    """LEPTON_SPOOL, else where this system keeps the state of programs; in it a folder a server and path."""
    place = urlsplit(url)
    name = _SAFE.sub("_", f"{place.netloc}{place.path}")
    if given := env.get("LEPTON_SPOOL"):
        return checked_path(given, "LEPTON_SPOOL") / name
    return _state(env) / "lepton" / "spool" / name


def _state(env: Mapping[str, str]) -> Path:
    """The user's folder for state: of XDG, of macOS, of Windows."""
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
