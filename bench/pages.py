"""The pages on a large ledger, and a first view in Chromium beside MLflow's.

Each page of a ledger of 100,000 versions and a million events is asked for some hundred times, by one client in turn.
Then the time from the start of `lepton serve` to its first answer, on a ledger of ten versions. Then in Chromium, on
that ledger and on MLflow 3.17.2's own of ten versions: what the first view asks for and what comes over the wire for
it; how many streams of events ten tabs hold; and how long a move by another process takes to the screen of a tab.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from large import MODEL, large
from server import EVENTS, VERSIONS, Asked, Wire, first_answer, lepton, mlflow_served, served, until

from lepton_ai import ModelManager
from lepton_ai.web.pages.assets import ASSETS, asset
from tests.servers import chromium

REQUESTS, STARTS, TABS, CHANGES = 200, 5, 10, 60
HTML = "Accept: text/html\r\n"


def rows() -> str:
    """Markdown tables: milliseconds a page, starts, and what a browser sees."""
    with _large() as home, served(home) as (_, port):
        first = asyncio.run(_times(port))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with ModelManager(home) as manager:
            for number in range(10):
                manager.save_version({"w": np.full((16, 16), number, "float32")}, name=MODEL, metrics={"f1": 0.9})
            manager.alias("production", f"{MODEL}@1")
        starts = [_start(home) for _ in range(STARTS)]
        started = f"From the start of `lepton serve` to its first answer: {statistics.median(starts):.2f} s."
        return "\n\n".join((first, started, _in_chromium(home, Path(folder))))


@contextmanager
def _large() -> Iterator[Path]:
    """The large ledger; with LARGE= one that is there, or is made there to be used again."""
    if kept := os.environ.get("LARGE"):
        if not Path(kept).exists():
            large(Path(kept), versions=VERSIONS, events=EVENTS)
        yield Path(kept)
        return
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        large(Path(folder) / "large", versions=VERSIONS, events=EVENTS)
        yield Path(folder) / "large"


async def _times(port: int) -> str:
    wire = await Wire(port).open()
    last = await _last_window(wire)
    pages: dict[str, Callable[[int], str]] = {
        "`/`": lambda _: "/",
        "`/m/MODEL`": lambda _: f"/m/{MODEL}",
        "`/m/MODEL/log`, first window": lambda _: f"/m/{MODEL}/log",
        "`/m/MODEL/log`, last window": lambda _: last,
        "`/m/MODEL/v/N`": lambda n: f"/m/{MODEL}/v/{1 + n * 7919 % VERSIONS}",
        "`/events`": lambda _: "/events",
        "`/status`": lambda _: "/status",
    }
    lines = [
        f"| {VERSIONS:,} versions, {EVENTS:,} events, one client | first ms | median ms | p95 ms | p99 ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, page in pages.items():
        spent = list[float]()
        for number in range(REQUESTS + 1):
            begun = time.perf_counter()
            await wire.ask(Asked("GET", page(number), headers=HTML))
            spent.append((time.perf_counter() - begun) * 1e3)
        cuts = statistics.quantiles(spent[1:], n=100)
        lines.append(f"| {name} | {spent[0]:.0f} | {cuts[49]:.1f} | {cuts[94]:.1f} | {cuts[98]:.1f} |")
    wire.close()
    return "\n".join(lines)


async def _last_window(wire: Wire) -> str:
    """The address of the page with the oldest entries, a whole window of them."""
    shown = json.loads(await wire.ask(Asked("GET", f"/api/v1/models/{MODEL}/versions/50")))
    return f"/m/{MODEL}/log?before={int(shown['seq']) + 1}"


def _start(home: Path) -> float:
    begun = time.perf_counter()
    with lepton(home, "serve", "--port", "0") as server:
        assert server.stderr is not None
        port = int(next(line for line in server.stderr if "serving" in line).rsplit(":", 1)[1])
        until(lambda: asyncio.run(first_answer(port, Asked("GET", "/healthz"))))
        return time.perf_counter() - begun


def _in_chromium(home: Path, folder: Path) -> str:
    from playwright.sync_api import sync_playwright

    # both are started first: while Playwright is at work, no other event loop can run in this thread
    with served(home) as (_, own), mlflow_served(folder) as (_, other), sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        ours, theirs = (_first_view(browser, f"http://127.0.0.1:{port}/") for port in (own, other))
        streams, spent = _on_screen(browser, f"http://127.0.0.1:{own}", home)
        browser.close()
    script = sum(len(gzip.compress(asset(name), 9)) for name in ASSETS if name.endswith(".js"))
    cuts = statistics.quantiles(spent, n=100)
    return "\n".join(
        (
            "| first view in Chromium, nothing cached | Lepton | MLflow |",
            "| --- | --- | --- |",
            f"| requests | {ours[0]} | {theirs[0]} |",
            f"| over the wire | {ours[1] / 1e3:,.1f} kB | {theirs[1] / 1e3:,.1f} kB |",
            "",
            f"All own scripts, gzipped: {script / 1e3:.1f} kB. {TABS} tabs hold {streams} stream of events. {CHANGES} "
            f"moves by another process were on the screen after {cuts[49] * 1e3:.0f} ms (p95 {cuts[94] * 1e3:.0f} ms).",
        )
    )


def _first_view(browser: Any, url: str) -> tuple[int, float]:
    """How many requests a browser with nothing in its cache makes, and the bytes that come for them."""
    from playwright.sync_api import TimeoutError as Unended

    context = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    asked, came = list[str](), list[float]()
    wire.on("Network.requestWillBeSent", lambda each: asked.append(each["request"]["url"]))
    wire.on("Network.loadingFinished", lambda each: came.append(each["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto(url)
    if not page.locator("[data-live]").count():  # a stream of events is never done
        with suppress(Unended):  # nor is what a page asks of hosts that cannot be reached
            page.wait_for_load_state("networkidle")
    count = len([each for each in asked if each.startswith("http") and "/live?" not in each])
    context.close()
    return count, sum(came)


def _on_screen(browser: Any, url: str, home: Path) -> tuple[int, list[float]]:
    """The streams that some tabs hold, and the seconds that moves take to the screen of one."""
    context = browser.new_context()
    streams = list[str]()
    context.on("request", lambda each: streams.append(each.url) if each.resource_type == "eventsource" else None)
    tabs = [context.new_page() for _ in range(TABS)]
    for tab in tabs:
        tab.goto(f"{url}/m/{MODEL}")
    tab, spent = tabs[-1], list[float]()
    tab.bring_to_front()
    with ModelManager(home, actor="ada") as manager:
        for number in range(CHANGES):
            to = 2 + number % 8
            begun = time.perf_counter()
            manager.alias("production", f"{MODEL}@{to}")
            tab.locator(f"#now .version:text-is('{to}')").wait_for()
            spent.append(time.perf_counter() - begun)
    context.close()
    return len(streams), spent


if __name__ == "__main__":
    print(rows())
