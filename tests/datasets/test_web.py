"""Rows from the web: fetched once, held against their digest first, and from no server that leads astray for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.datasets.read import checked, labelled
from lepton_ai.datasets.sources import web
from lepton_ai.errors import Malformed, Refused, Unavailable
from lepton_ai.models import CreditScoringModel

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

CHANCE = np.random.default_rng(0)
ROWS = "".join(["x,y\n", *(f"{x:.3f},{int(x > 0)}\n" for x in CHANCE.normal(size=200))]).encode()
DIGEST = sha256(ROWS).hexdigest()


@dataclass
class Site:
    """A server of files that does whatever servers do."""

    asked: Counter[str] = field(default_factory=Counter[str])
    over: Event = field(default_factory=Event)
    url: str = ""

    def at(self, name: str, digest: str = DIGEST) -> str:
        return f"{self.url}/{name}#sha256={digest}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    told = Site()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].removeprefix("/")
            told.asked[name] += 1
            match name:
                case "rows.csv":
                    self._send(200, ROWS)
                case "moved.csv" | "loop.csv" | "ftp.csv":
                    places = {"moved.csv": "/rows.csv", "loop.csv": "/loop.csv", "ftp.csv": "ftp://localhost/rows.csv"}
                    self._send(302, b"", Location=places[name])
                case "cut.csv":
                    self._send(200, ROWS[:500], length=len(ROWS))
                case "slow.csv":
                    self._send(200, ROWS[:500], length=len(ROWS))
                    told.over.wait()
                case "drip.csv":
                    self._send(200, b"", length=len(ROWS))
                    while not told.over.wait(0.05):
                        self.wfile.write(b"x")
                case "busy.csv":
                    self._send(503, b"")
                case "closed.csv":
                    self._send(401, b"")
                case _:
                    self._send(404, b"")

        def _send(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
            self.send_response(status)
            for header, value in (headers | {"Content-Length": str(len(body) if length is None else length)}).items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("LEPTON_DOWNLOADS", str(tmp_path / "downloads"))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield told
    told.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_rows_are_fetched_once(site: Site) -> None:
    first, again = labelled(site.at("rows.csv"), "y"), labelled(site.at("rows.csv?download=1", DIGEST.upper()), "y")

    assert first[0].num_rows == again[0].num_rows == 200
    assert site.asked == {"rows.csv": 1}


def test_a_redirect_is_followed_but_not_for_ever_nor_to_other_protocols(site: Site) -> None:
    assert labelled(site.at("moved.csv"), "y")[0].num_rows == 200
    with pytest.raises(Refused, match="leads to other addresses again and again"):
        labelled(site.at("loop.csv", "0" * 64), "y")
    with pytest.raises(Refused, match="is none of http or https"):
        labelled(site.at("ftp.csv", "0" * 64), "y")


def test_a_copy_that_was_changed_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    labelled(site.at("rows.csv"), "y")
    kept = tmp_path / "downloads" / DIGEST
    kept.write_bytes(ROWS[:-9] + b"9.999,1\n\n")

    assert labelled(site.at("rows.csv"), "y")[0].num_rows == 200
    assert kept.read_bytes() == ROWS
    assert site.asked["rows.csv"] == 2


@pytest.mark.parametrize(
    ("name", "digest", "kind", "sentence"),
    [
        ("rows.csv", "0" * 64, Refused, "has other bytes than those of sha256=0000"),
        ("none.csv", DIGEST, Refused, r"has no such file \(404\)"),
        ("closed.csv", DIGEST, Refused, r"wants to know who asks \(401\)"),
        ("busy.csv", DIGEST, Unavailable, r"has no answer now \(503\)"),
        ("cut.csv", DIGEST, Unavailable, "is away, or stopped in between"),
        ("slow.csv", DIGEST, Unavailable, "took too long"),
        ("drip.csv", DIGEST, Unavailable, "bytes a second"),
    ],
)
def test_what_cannot_be_had_is_told_and_leaves_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, digest: str, kind: type[Exception],
    sentence: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(web, "WAIT", {"slow.csv": 0.5, "drip.csv": 2.0}.get(name, web.WAIT))

    with pytest.raises(kind, match=sentence) as raised:
        labelled(site.at(name, digest), "y")

    assert site.url not in str(raised.value)
    assert [*(tmp_path / "downloads").iterdir()] == []


def test_a_server_that_is_away_is_unavailable(site: Site) -> None:
    with pytest.raises(Unavailable, match=r"the server of rows\.csv is away"):
        labelled(f"http://127.0.0.1:1/rows.csv#sha256={DIGEST}", "y")
    del site


def test_more_than_may_be_fetched_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_DOWNLOAD_BYTES", "1000")

    with pytest.raises(Refused, match="has more than the 1,000 bytes that are fetched"):
        labelled(site.at("rows.csv"), "y")


@pytest.mark.parametrize("fragment", ["", "#", "#sha256=", "#sha256=12", "#md5=" + "0" * 32, f"#sha256={DIGEST}&x=1"])
def test_an_address_without_a_digest_is_refused_unfetched(site: Site, fragment: str) -> None:
    with pytest.raises(Malformed, match="does not say which bytes it stands for; write #sha256=HEX"):
        checked(f"{site.url}/rows.csv{fragment}", "y")
    assert not site.asked


def test_a_password_is_refused_and_not_quoted() -> None:
    with pytest.raises(Malformed) as refusal:
        checked(f"https://me:secret@example.org/rows.csv#sha256={DIGEST}", "y")

    assert "secret" not in str(refusal.value)


def test_rows_of_the_web_are_trained_on_judged_and_named(site: Site, home: Path) -> None:
    model = CreditScoringModel().add_hyperparameter("epochs", 2)
    with ModelManager(home) as manager:
        made = manager.train(model, site.at("rows.csv"), "y", name="web")
        judged = manager.evaluate(made, site.at("rows.csv"), "y", draws=0)
        named = manager.add_data("rows", site.at("rows.csv"), "y")

        assert judged.performance.accuracy is not None
        assert (named.rows, manager.load_data("rows")[0].num_rows) == (200, 200)
    assert site.asked == {"rows.csv": 1}


def test_a_job_reads_them_by_its_worker(site: Site, cli: Cli) -> None:
    done = cli(f"train credit-scoring-model {site.at('rows.csv')} --label y --set epochs=1 --json").json
    refused = cli(f"train credit-scoring-model {site.url}/rows.csv --label y")

    assert done["job"]["status"] == "finished"
    assert "does not say which bytes it stands for" in refused.err
