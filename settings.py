"""The settings of Lepton, read once from the environment."""

from __future__ import annotations

import getpass
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from .errors import Malformed, Refused
from .home import FOLDER, Source, checked_path, chosen
from .permissions import read_file

log = logging.getLogger("lepton")

__all__ = [
    "FOLDER",
    "Settings",
    "Terms",
    "completed",
    "file_named",
    "language",
    "load",
    "log",
    "most_bytes",
    "portable",
    "seconds_in",
    "terms_in",
    "without_secrets",
]

_SQLITE = "sqlite:///"
_LONGEST_SECRET = 65_536
SHORTEST_SECRET = 16
"""Characters: whoever reads the topics can try short ones."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long those who work for a ledger wait for each other, in seconds."""

    start: float = 30.0
    """For a worker to begin what it was assigned."""
    lease: float = 45.0
    """For a worker to be heard of again, before its work is given to another and it must stop by itself."""
    heartbeat: float = 10.0
    """Between two announcements of a worker, and before an answer is repeated that nobody has heard."""
    pause: float = 5.0
    """Before a job's second attempt; doubled for each after it."""
    drain: float = 30.0
    """For work under way, when a worker is told to leave."""
    run: float = 90.0
    """For a run to be heard of again, before it is taken for lost; it is heard of four times as often."""
    poll: float = 0.02
    """Between two looks for something new, where nothing tells of it."""
    check: float = 60.0
    """Between two looks at Kafka's topics: whether they are still as they must be, and whether others wrote there."""
    rejected: float = 30 * 86_400.0
    """Before the bytes of a refused message are thrown away; its reason stays."""
    witness: float = 3600.0
    """Between two signed heads that are sent to witnesses."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Where a version that an outside service offers may lie, who looks at it, and what that may take."""

    places: tuple[str, ...] = ("s3://", "gs://", "az://")
    """What its address must begin with: buckets, or folders as `file:///folder`."""
    pool: str = "default"
    """The workers that look at it: whoever offers does not choose them."""
    at_once: int = 2
    """How many are looked at at a time."""
    seconds: float = 3600.0
    memory: int = 32 << 30
    """Bytes that its process may take, mapped files among them."""
    bytes: int = 16 << 30
    tensors: int = 100_000
    elements: int = 1 << 35


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Where a ledger lives and who asks."""

    home: Path
    database: str
    ledger: str
    objects: str
    actor: str
    language: Literal["zh", "en"]
    wait: float
    """Seconds to wait for a lock or a bucket before giving up."""
    kafka: str | None
    """The brokers, or None where the ledger lives without."""
    kafka_prefix: str
    kafka_certificate: Path | None
    """The file of the certificate that is shown to the brokers, or None where they ask for none."""
    kafka_key: Path | None
    """The file of its key, where that is another."""
    kafka_key_password: str | None = field(repr=False)
    metrics: str | None
    """Where a running process serves its figures to Prometheus, `host:port`, or None."""
    log_as_json: bool
    terms: Terms = Terms()
    offers: Offers = Offers()
    worker_secret: str | None = field(default=None, repr=False)
    """The secret that workers must know to get jobs; None where all who may write to the topic count as workers."""
    source: Source = "named"
    """How the home was come by."""
    signing_key: Path | None = None
    """The file of the key that signs heads."""
    signing_command: str | None = field(default=None, repr=False)
    """The command that signs heads, where no file does."""
    verifier_key: str | None = None
    """The key by which heads and proofs are checked where none is given."""
    witness: tuple[str, ...] = field(default=(), repr=False)
    """Where signed heads are sent: files, URLs, Kafka."""

    def __repr__(self) -> str:
        """The settings without what is nobody else's business."""
        shown = {each.name: getattr(self, each.name) for each in fields(self) if each.repr}
        parts = (
            f"{name}={without_secrets(value) if isinstance(value, str) else value!r}" for name, value in shown.items()
        )
        return f"Settings({', '.join(parts)})"

    def objects_folder(self) -> Path | None:
        """The folder of the objects, None where they are in a store beyond this machine."""
        return Path(unquote(urlsplit(self.objects).path)) if self.objects.startswith("file://") else None

    def objects_are_here(self) -> bool:
        """Whether objects are where the settings say: in a folder that is there, or in a store beyond this machine."""
        folder = self.objects_folder()
        return folder is None or folder.is_dir()


def load(home: str | os.PathLike[str] | None = None, *, actor: str | None = None) -> Settings:
    """The settings from LEPTON_* in the environment; arguments win. Raises `Refused` where one cannot be used."""
    env = os.environ
    if sys.platform == "win32":
        raise Refused(
            "on Windows a ledger is used through its server; name the server's address, or install Lepton in WSL",
            python='as ModelManager("https://HOST") or by LEPTON_HOME',
            cli="by --home https://HOST or LEPTON_HOME",
        )
    folder, source = chosen(home, env)
    ledger = env.get("LEPTON_LEDGER", "main")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", ledger):
        raise Malformed(f"LEPTON_LEDGER is {ledger!r}; a ledger's name is lower-case letters, digits and _")
    return Settings(
        home=folder,
        database=_database(env.get("LEPTON_DATABASE")) or f"{_SQLITE}{folder / f'{ledger}.db'}",
        ledger=ledger,
        objects=_objects(env.get("LEPTON_OBJECTS")) or (folder / "objects").as_uri(),
        actor=actor or env.get("LEPTON_ACTOR") or _login(),
        language=language(env),
        wait=seconds_in(env, "LEPTON_WAIT", 30.0),
        kafka=env.get("LEPTON_KAFKA") or None,
        kafka_prefix=_prefix(env),
        kafka_certificate=file_named(env, "LEPTON_KAFKA_CERTIFICATE"),
        kafka_key=file_named(env, "LEPTON_KAFKA_KEY"),
        kafka_key_password=env.get("LEPTON_KAFKA_KEY_PASSWORD") or None,
        metrics=_metrics(env),
        log_as_json=env.get("LEPTON_LOG") == "json",
        terms=terms_in(env),
        worker_secret=_secret(env, "LEPTON_WORKER_SECRET"),
        source=source,
        offers=offers(env),
        signing_key=file_named(env, "LEPTON_SIGNING_KEY"),
        signing_command=env.get("LEPTON_SIGNING_COMMAND") or None,
        verifier_key=env.get("LEPTON_VERIFIER_KEY") or None,
        witness=_witnesses(env),
    )


_URLS: Mapping[str, tuple[str, Callable[[str | None], str | None]]] = {
    "database": ("LEPTON_DATABASE", lambda url: _database(url)),
    "objects": ("LEPTON_OBJECTS", lambda url: _objects(url)),
}
"""The settings that may hold passwords: where they come from, and how they are read."""


def portable(settings: Settings) -> Settings:
    """The settings as they may be written down: without passwords and secrets."""
    urls = {name: without_secrets(getattr(settings, name)) for name in _URLS}
    return replace(settings, **urls, kafka_key_password=None, worker_secret=None, signing_command=None, witness=())


def completed(settings: Settings, env: Mapping[str, str] = os.environ) -> Settings:
    """Portable settings with the secrets of this process. Raises `Refused` where a password is not here."""
    urls: dict[str, str] = {}
    for name, (variable, read) in _URLS.items():
        written, here = getattr(settings, name), read(env.get(variable))
        if "***" in written and (here is None or without_secrets(here) != written):
            raise Refused(f"{written} was written down without its secrets; set {variable} to it in this process")
        urls[name] = here if here is not None and "***" in written else written
    password, secret = env.get("LEPTON_KAFKA_KEY_PASSWORD") or None, _secret(env, "LEPTON_WORKER_SECRET")
    signing: dict[str, Any] = {"signing_command": env.get("LEPTON_SIGNING_COMMAND") or None, "witness": _witnesses(env)}
    return replace(settings, **urls, kafka_key_password=password, worker_secret=secret, **signing)


def language(env: Mapping[str, str] = os.environ) -> Literal["zh", "en"]:
    """The language that figures and stories are told in: LEPTON_LANG, Chinese where it says nothing."""
    text = (env.get("LEPTON_LANG") or "zh").lower()
    if not text.startswith(("zh", "en")):
        raise Malformed(f"LEPTON_LANG is {text!r}; figures are told in zh or en")
    return "en" if text.startswith("en") else "zh"


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without passwords, signatures and whatever else its query holds."""
    url = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return re.sub(r"(://[^?]*)\?.*", r"\1?***", url)


def _database(url: str | None) -> str | None:
    """The URL, a file's made absolute: a process may go to another folder and must not find another ledger there."""
    path = (url or "").removeprefix(_SQLITE)
    if path in (url, "", ":memory:"):
        return url
    return f"{_SQLITE}{checked_path(path, 'the file that LEPTON_DATABASE names')}"


def _objects(url: str | None) -> str | None:
    """The URL; `Malformed` where it names a file in a way that this system has no path for."""
    if url and url.startswith("file:///"):
        checked_path(unquote(url.removeprefix("file://")), "the folder that LEPTON_OBJECTS names")
    return url


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _prefix(env: Mapping[str, str]) -> str:
    """What the topics' names begin with."""
    text = env.get("LEPTON_KAFKA_PREFIX", "lepton")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text):
        raise Malformed(f"LEPTON_KAFKA_PREFIX is {text!r}; topics begin with letters, digits, dot, dash and underscore")
    return text


def file_named(env: Mapping[str, str], name: str) -> Path | None:
    """The file that a variable names."""
    text = env.get(name)
    return Path(text).expanduser().absolute() if text else None


def _secret(env: Mapping[str, str], name: str) -> str | None:
    """A secret from the environment, or the first line of the file that `…_FILE` names; never quoted."""
    text = env.get(name) or ""
    if (path := file_named(env, f"{name}_FILE")) is not None and not text:
        try:
            text = read_file(path, _LONGEST_SECRET, follow=True).decode().partition("\n")[0].strip()
        except (OSError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) else "it is no text, or a large one"
            raise Refused(f"{name}_FILE names {path}, which cannot be read ({what}); see to its rights") from error
        if not text:
            raise Malformed(f"{name}_FILE names {path}, whose first line is empty; write the secret there")
    if text and len(text) < SHORTEST_SECRET:
        raise Malformed(f"{name} is shorter than {SHORTEST_SECRET} characters; `openssl rand -hex 32` makes a good one")
    return text or None


def _witnesses(env: Mapping[str, str]) -> tuple[str, ...]:
    """Where LEPTON_WITNESS has signed heads sent; never quoted, for a URL may hold a password."""
    places = tuple((env.get("LEPTON_WITNESS") or "").split())
    for place in places:
        if not re.fullmatch(r"file:///[^?#]+|/.+|https?://[^/?#]+.*|kafka|kafka(\+ssl|\+sasl)?://.+", place):
            raise Malformed(
                "LEPTON_WITNESS names what is no place for heads; write an absolute path, http(s)://…, kafka (that of "
                "LEPTON_KAFKA) or kafka://HOST:PORT, several with spaces between them"
            )
    return places


def _metrics(env: Mapping[str, str]) -> str | None:
    text = env.get("LEPTON_METRICS") or None
    if text is not None and not re.fullmatch(r"([\w.-]*:)?\d{1,5}", text):
        raise Malformed(f"LEPTON_METRICS is {text!r}; write a port, or host:port")
    return text


def terms_in(env: Mapping[str, str]) -> Terms:
    """What LEPTON_TERM_… say."""
    seconds = {
        name: seconds_in(env, f"LEPTON_TERM_{name.upper()}", usual, most=max(1e6, 100 * usual))
        for name, usual in asdict(Terms()).items()
    }
    terms = Terms(**seconds)
    if not env.get("LEPTON_TERM_HEARTBEAT"):
        return replace(terms, heartbeat=min(terms.heartbeat, terms.lease / 4))
    if terms.heartbeat >= terms.lease:
        raise Malformed(
            f"LEPTON_TERM_HEARTBEAT is {terms.heartbeat:g} s and LEPTON_TERM_LEASE {terms.lease:g} s; a worker would "
            "lose every job between two heartbeats: make the lease longer"
        )
    return terms


def offers(env: Mapping[str, str] = os.environ) -> Offers:
    """What LEPTON_OFFERS_… allow."""
    usual = Offers()
    counts = {
        name: _count(env, f"LEPTON_OFFERS_{name.upper()}", getattr(usual, name))
        for name in ("at_once", "memory", "bytes", "tensors", "elements")
    }
    listed = env.get("LEPTON_OFFERS_FROM")
    places = usual.places if listed is None else tuple(listed.split())
    for place in places:
        if not re.fullmatch(r"(s3|gs|az)://[^?#@\s]*|file:///[^?#\s]+", place):
            raise Malformed(
                "LEPTON_OFFERS_FROM names what is no place; write s3://bucket/prefix, gs://, az:// or file:///folder, "
                "several with spaces between them"
            )
    seconds = seconds_in(env, "LEPTON_OFFERS_SECONDS", usual.seconds)
    return Offers(places, env.get("LEPTON_OFFERS_POOL") or usual.pool, seconds=seconds, **counts)


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,18}", text) or not int(text):
        raise Malformed(f"{name} is {text!r}; give a whole number above 0")
    return int(text)


def seconds_in(env: Mapping[str, str], name: str, default: float, most: float = 1e6) -> float:
    """A number of seconds that a variable names, or `Malformed`."""
    text = env.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < most:
        raise Malformed(f"{name} is {text!r}; give a number of seconds")
    return seconds


def most_bytes(variable: str, usual: int) -> int:
    """How many bytes something may have, by a variable of the environment. Raises `Malformed` where it is no number."""
    words = os.environ.get(variable, "") or str(usual)
    if not words.isdecimal():
        raise Malformed(f"{variable} is a whole number of bytes, not {words[:40]!r}")
    return int(words)
