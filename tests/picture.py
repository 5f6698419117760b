"""The README's picture: the page on the demo's ledger, as Chromium shows it. `make picture` makes it anew."""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from .servers import chromium
from .web.server import served

PICTURE: Final = Path(__file__).parents[1] / "docs" / "pictures" / "page.webp"
PATH: Final = "/m/credit-risk/log"
WIDTH, HEIGHT = 1120, 630
QUALITY: Final = 80


def picture(home: Path, browser: Any, path: str = PATH) -> bytes:
    """The page on a home, in English and light, as WebP."""
    with served(home) as server:
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, locale="en", color_scheme="light", device_scale_factor=1
        )
        page = context.new_page()
        page.goto(server.url + path, wait_until="load")
        taken = context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
        context.close()
    return base64.b64decode(taken["data"])


def main() -> None:
    """Tell the story in a home of its own and keep the picture of it."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        home = Path(folder) / "demo"
        subprocess.run((sys.executable, "-m", "lepton_ai.demo", "--home", str(home), "--lang", "en"), check=True)
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        PICTURE.write_bytes(picture(home, browser))
        browser.close()


if __name__ == "__main__":
    main()
