"""The story alone, told anew: `python -m lepton_ai.demo`. It ends by itself and names the page on its ledger."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import cast

from ..errors import LeptonError
from ..results.words import Language
from .narrator import Narrator
from .place import USUAL, DemoFolder, environment
from .story import MODEL, tell


def main() -> None:
    """Read the arguments and tell the story: here, or wherever LEPTON_DATABASE and the like say the ledger is."""
    parser = argparse.ArgumentParser(prog="python -m lepton_ai.demo", description=__doc__)
    parser.add_argument("--home", type=Path, default=USUAL, help="folder of the demo's ledger, made anew")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    arguments = parser.parse_args()
    language, folder = cast("Language", arguments.lang), DemoFolder(arguments.home)
    logging.basicConfig(level=logging.WARNING)
    narrator = Narrator(language)
    try:
        again = partial(narrator.again, arguments.home)
        with folder.anew(language, again), environment({**os.environ, "LEPTON_LANG": language}):
            tell(narrator, folder.path)
    except LeptonError as error:
        raise SystemExit(f"lepton: {error}") from error
    home = "" if arguments.home == USUAL else f" --home {arguments.home}"
    page = f"{_lepton()} demo --open{home}" if folder.told else f"{_lepton()} serve --home {arguments.home}"
    log = f"{_lepton()} --home {arguments.home} log --graph {MODEL}@main"
    narrator.console.print(f"\n   [dim]{log}[/]", soft_wrap=True)
    narrator.console.print(f"   {narrator.word('在网页上看：', 'see it on the page:')} [bold]{page}[/]", soft_wrap=True)


def _lepton() -> str:
    """How the command is called from here."""
    return "lepton" if shutil.which("lepton") else os.path.relpath(Path(sys.executable).with_name("lepton"))


if __name__ == "__main__":
    main()
