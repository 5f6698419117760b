"""`demo`: the story of German credit in a ledger of its own, and the page on it."""

from __future__ import annotations

import gc
import webbrowser
from functools import partial
from importlib import import_module
from socket import create_server
from typing import TYPE_CHECKING, Final

import click

from ...home import checked_path
from ...results.words import Language, language, say
from ..command import Session, command
from .serving import needing, serve_until_stopped

if TYPE_CHECKING:
    from ...demo.place import DemoFolder

HOST: Final = "127.0.0.1"
PORT: Final = 8400


@command({"address": "text", "home": "text"}, "lepton demo --open", "lepton demo --home trial --lang en --anew")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--anew", is_flag=True, help="Tell the story anew, though it was told here before.")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="The story's language, instead of that of the commands.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=f"Where to listen; if left out {PORT}, or a free one where that is taken.",
)
def demo(session: Session, opens: bool, anew: bool, lang: Language | None, port: int | None) -> None:
    """Make a ledger with a story on real credit data, and serve its page until stopped.

    A model is trained, tuned, compared, put live, found worse and rolled back, which takes about a minute. The ledger
    is the folder .demo, or --home; where its story was told before it is opened as it stands, unless --anew or another
    --lang asks for it anew. A folder that something else made is refused. LEPTON_HOME, LEPTON_DATABASE and all other
    settings that lead to a ledger of yours are passed over.
    """
    _check_extra()
    from ...demo.place import USUAL, DemoFolder, alone, environment
    from ...web.options import ServeOptions

    gc.enable()
    folder = DemoFolder(checked_path(session.home, "the home given") if session.home else USUAL)
    with environment({**alone(), "LEPTON_LANG": lang or language()}):
        if anew or folder.told is None or lang not in (None, folder.told):
            _tell(folder, lang or language(), quiet=session.as_json)
        session.home = str(folder.path)

        def told(address: str) -> None:
            click.echo(say("the page is at {address} until Ctrl-C", address=address), err=session.as_json)
            if opens:
                webbrowser.open(address)

        options = ServeOptions(host=HOST, port=_port() if port is None else port, works=True)
        with folder.served():
            address = serve_until_stopped(session, options, told)
    session.answer({"address": address, "home": str(folder.path)}, say("stopped serving at {address}", address=address))


def _tell(folder: DemoFolder, spoken: Language, *, quiet: bool) -> None:
    from ...demo.narrator import Narrator
    from ...demo.story import tell

    narrator = Narrator(spoken, stderr=quiet)
    with folder.anew(spoken, partial(narrator.again, folder.path)):
        tell(narrator, folder.path)


def _check_extra() -> None:
    """Raise `Refused` where what the story or the page needs is not installed."""
    with needing("the demo", "demo"):
        import_module("lepton_ai.web.serving")
        import_module("lepton_ai.demo.german_credit").data_file()


def _port() -> int:
    """The usual port, or 0, which is any, where another listens there."""
    try:
        with create_server((HOST, PORT)):
            return PORT
    except OSError:
        return 0
