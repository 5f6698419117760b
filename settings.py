"""The settings of Lepton, read once from the environment."""

from __future__ import annotations

import getpass
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from .errors import Malformed, Refused

log = logging.getLogger("lepton")

FOLDER = ".lepton"
_SQLITE = "sqlite:///"


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


@dataclass(frozen=True, slots=True)
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

    def objects_are_here(self) -> bool:
        """Whether objects are where the settings say: in a folder that is there, or in a store beyond this machine."""
        return not self.objects.startswith("file://") or Path(unquote(urlsplit(self.objects).path)).is_dir()


def load(home: str | os.PathLike[str] | None = None, *, actor: str | None = None) -> Settings:
    """The settings from LEPTON_* in the environment; arguments win. Raises `Refused` where one cannot be used."""
    env = os.environ
    folder = _home(home if home is not None else env.get("LEPTON_HOME"))
    ledger = env.get("LEPTON_LEDGER", "main")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", ledger):
        raise Malformed(f"LEPTON_LEDGER is {ledger!r}; a ledger's name is lower-case letters, digits and _")
    return Settings(
        home=folder,
        database=_database(env.get("LEPTON_DATABASE") or f"{_SQLITE}{folder / f'{ledger}.db'}"),
        ledger=ledger,
        objects=env.get("LEPTON_OBJECTS") or (folder / "objects").as_uri(),
        actor=actor or env.get("LEPTON_ACTOR") or _login(),
        language=language(env),
        wait=_seconds(env, "LEPTON_WAIT", 30.0),
        kafka=env.get("LEPTON_KAFKA") or None,
        kafka_prefix=_prefix(env),
        kafka_certificate=_file(env, "LEPTON_KAFKA_CERTIFICATE"),
        kafka_key=_file(env, "LEPTON_KAFKA_KEY"),
        kafka_key_password=env.get("LEPTON_KAFKA_KEY_PASSWORD") or None,
        metrics=_metrics(env),
        log_as_json=env.get("LEPTON_LOG") == "json",
        terms=_terms(env),
    )


def language(env: Mapping[str, str] = os.environ) -> Literal["zh", "en"]:
    """The language that figures and stories are told in: LEPTON_LANG, Chinese where it says nothing."""
    text = (env.get("LEPTON_LANG") or "zh").lower()
    if not text.startswith(("zh", "en")):
        raise Malformed(f"LEPTON_LANG is {text!r}; figures are told in zh or en")
    return "en" if text.startswith("en") else "zh"


def _home(given: str | os.PathLike[str] | None) -> Path:
    """The folder given, else the nearest `.lepton` upwards, else a new one here."""
    if given is not None:
        if "://" in (text := os.fspath(given)):
            raise Refused(
                f"a home is a folder; {text.split('://')[0]}:// homes need a Lepton server, which this is not"
            )
        return Path(text).expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return here / FOLDER


def _database(url: str) -> str:
    """The URL, a file's made absolute: a process may go to another folder and must not find another ledger there."""
    path = url.removeprefix(_SQLITE)
    return url if path in (url, "", ":memory:") else f"{_SQLITE}{Path(path).absolute()}"


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


def _file(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name)
    return Path(text).expanduser().absolute() if text else None


def _metrics(env: Mapping[str, str]) -> str | None:
    text = env.get("LEPTON_METRICS") or None
    if text is not None and not re.fullmatch(r"([\w.-]*:)?\d{1,5}", text):
        raise Malformed(f"LEPTON_METRICS is {text!r}; write a port, or host:port")
    return text


def _terms(env: Mapping[str, str]) -> Terms:
    told = {name: _seconds(env, f"LEPTON_TERM_{name.upper()}", usual) for name, usual in asdict(Terms()).items()}
    return Terms(**told)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise Malformed(f"{name} is {text!r}; give a number of seconds")
    return seconds
