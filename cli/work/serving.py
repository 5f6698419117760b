"""`serve`: the ledger over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ...errors import Refused
from ...results.words import say
from ..command import Session, command
from .observing import observed
from .signals import end_after, stopping

if TYPE_CHECKING:
    from ...web.options import ServeOptions

LONGEST_END: Final = 3.5
"""Seconds in which the server ends, whatever it waits for: what a request did not record by then, it did not."""
F = TypeVar("F", bound=Callable[..., Any])


def _reached(function: F) -> F:
    """The options of where the server is and who reaches it."""
    file, more = click.Path(path_type=Path), "; may be repeated."
    for option in (
        click.option(
            "--work/--no-work",
            "works",
            default=None,
            help="Do the jobs that no other worker takes; unless said, where the ledger serves this machine alone.",
        ),
        click.option("--root-path", default="", metavar="/NAME", help="What a proxy takes off the front of the path."),
        click.option("--tls-key", "key", type=file, metavar="FILE", help="The certificate's key, PEM."),
        click.option("--tls-certificate", "certificate", type=file, metavar="FILE", help="A certificate for TLS, PEM."),
        click.option("--proxy", "proxies", multiple=True, metavar="ADDRESS", help=f"A proxy to be believed{more}"),
        click.option("--hosts", multiple=True, metavar="NAME[:PORT]", help=f"A name by which it is called{more}"),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=8400,
            show_default=True,
            help="Where to listen; 0 takes a free one.",
        ),
        click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen."),
    ):
        function = option(function)
    return function


@command({"address": "text"}, "lepton serve", "lepton serve --host 0.0.0.0 --hosts ledger.example.org --port 8400")
@_reached
def serve(
    session: Session,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    proxies: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    root_path: str,
    works: bool | None,
) -> None:
    """Serve the ledger over HTTP until stopped: the API under /api/v1, described by /api/v1/openapi.json.

    On loopback, while the ledger has no tokens, it serves this machine's own user alone. Elsewhere it starts only with
    tokens (`lepton token create`) and the exact --hosts by which it is called. LEPTON_SERVE_HOSTS, LEPTON_SERVE_PROXIES
    and LEPTON_SERVE_ISSUER stand for the options; docs/serve.md has TLS, proxies and limits.

    On loopback it also does the jobs of the pool `default` that no `lepton worker` is there to take, as the command
    that waits for a job does; --no-work leaves them to workers.
    """
    from ...web.options import ServeOptions, issuer, listed

    options = ServeOptions(
        host=host,
        port=port,
        hosts=hosts or listed("LEPTON_SERVE_HOSTS"),
        proxies=proxies or listed("LEPTON_SERVE_PROXIES"),
        certificate=certificate,
        key=key,
        root_path=root_path,
        issuer=issuer(),
    )
    options = replace(options, works=options.is_private if works is None else works)
    address = serve_until_stopped(session, options)
    session.answer({"address": address}, say("stopped serving at {address}", address=address))


def serve_until_stopped(session: Session, options: ServeOptions, told: Callable[[str], None] = lambda _: None) -> str:
    """Serve the session's ledger until this process is told to stop: the address, which `told` hears at the start."""
    check_extra()
    from ...web.served import ServedLedger
    from ...web.serving import serve as run

    parts, stop, address = session.parts, Event(), ""
    parts.seek_unless_named()
    parts.check_witnesses()
    service = ServedLedger(session.manager, parts, options)

    def ready(at: str) -> None:
        nonlocal address
        address = at
        logging.getLogger("lepton").warning("serving %s at %s", parts.settings.ledger, at)
        told(at)

    end_after(stop, LONGEST_END)
    with stopping(stop), observed(parts.settings.metrics, {}):
        run(service, stop, ready)
    return address


def check_extra() -> None:
    """Raise `Refused` where what the server needs is not installed."""
    with needing("the server", "web"):
        import_module("lepton_ai.web.serving")


@contextmanager
def needing(what: str, extra: str) -> Generator[None]:
    """Raise `Refused` where something that is imported inside is not installed, naming the extra that brings it."""
    try:
        yield
    except ImportError as error:
        raise Refused(
            f"{what} needs the extra `{extra}` ({error.name} is missing); pip install 'lepton-ai-sdk[{extra}]'"
        ) from error
