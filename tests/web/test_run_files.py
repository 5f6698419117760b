"""Files of runs over HTTP and on the page of their run: sent as what they are, and nothing of them is obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.tensors.digest import digest_of
from lepton_ai.tensors.frames import MEDIA, head

from ..asking import PATIENCE
from .server import Served, served

PIXELS = np.arange(12, dtype=np.uint8).reshape(3, 4)
SCRIPT = b"<script>alert(document.domain)</script>"
STEPS = (1, 5, 30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("files")) as server:
        server.manager.create_token("root", scopes=("admin",))
        yield server


@pytest.fixture(scope="module")
def run(server: Served) -> str:
    """A run with a picture at three steps, pages that would run, and what is no text though it says so."""
    with server.manager.run("net", name="<nightly>") as run:
        for step in STEPS:
            run.log_file("figures/a b.png", PIXELS + step, step=step)
            run.log_text("notes.md", f"as of step {step}: <b>{'long ' * (2000 if step == 30 else 1)}</b>", step=step)
        run.log_files(
            {"page.html": SCRIPT, "drawing.svg": b"<svg>" + SCRIPT, "not.png": SCRIPT, "odd.txt": b"\xff\xfe"}
        )
        run.log_file("table.csv", b"a,b\n1,2\n")
        run.log_files({f"many/{number:02}.png": PIXELS for number in range(30)}, step=2)
        return run.id


@pytest.fixture
def http(server: Served) -> httpx.Client:
    return server.client(server.token("read", "write"))


def test_only_pictures_are_shown_and_nothing_of_a_file_runs(http: httpx.Client, run: str) -> None:
    for name, media, attached in (
        ("figures%2Fa%20b.png", "image/png", False),
        ("not.png", "image/png", False),
        ("page.html", "text/html; charset=utf-8", True),
        ("drawing.svg", "image/svg+xml", True),
        ("table.csv", "text/csv; charset=utf-8", True),
    ):
        answer = http.get(f"runs/{run}/files/{name}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert ("attachment" in answer.headers.get("Content-Disposition", "")) is attached, name


def test_a_file_is_read_by_step_by_digest_and_by_ranges(http: httpx.Client, run: str, server: Served) -> None:
    listed = http.get(f"runs/{run}/files", params={"name": "figures/a b.png"}).json()["files"]
    place = f"runs/{run}/files/figures%2Fa%20b.png"

    assert [each["step"] for each in listed] == [*STEPS]
    for each in listed:
        whole = server.manager.load_run_file(run, "figures/a b.png", each["step"])
        assert http.get(place, params={"step": each["step"]}).content == whole
        by_digest = http.get(place, params={"digest": each["digest"]})
        assert by_digest.content == whole
        assert "immutable" in by_digest.headers["Cache-Control"]
        assert http.get(place, params={"digest": each["digest"]}, headers={"Range": "bytes=2-5"}).content == whole[2:6]
        assert digest_of(whole) == each["digest"]
    assert http.get(place).content == whole  # the one that was logged last
    for asked in ({"step": 2}, {"digest": digest_of(b"other")}, {"step": "first"}, {"wide": 1}):
        assert http.get(place, params=asked).status_code in (400, 404)
    assert http.get(f"runs/{run}/files/none").status_code == 404


def test_files_that_are_sent_are_checked_before_they_are_kept(http: httpx.Client, server: Served) -> None:
    server.manager.open_runs.start("net", run="sent", writer="one")
    content = b"what was seen"
    chunk = digest_of(content)
    good: dict[str, Any] = {"name": "seen.txt", "content": {"digest": chunk, "chunks": [chunk]}}

    def post(*files: dict[str, Any], writer: str = "one", key: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return http.post("runs/sent/files", json={"files": list(files), "writer": writer}, headers=headers)

    def upload() -> None:
        frame = head(chunk, len(content)) + content
        assert http.post("models/net/chunks", content=frame, headers={"Content-Type": MEDIA}).status_code == 200

    lacking = post(good)
    assert (lacking.status_code, lacking.json()["type"].rpartition(":")[2]) == (409, "missing-chunks")
    upload()
    other = {"digest": digest_of(b"other"), "chunks": [chunk]}
    bad = [({**good, "name": name},) for name in ("", "../a", "/a", "a\\b", "a\x00", "x" * 300)]
    bad += [({**good, "content": other},), (good, good), (), ({**good, "step": "1"},), ({**good, "step": 2**63},)]
    for files in bad:
        assert post(*files).status_code in (400, 422), files
    assert post(good, writer="two").status_code == 409
    assert http.get("runs/sent/files").json() == {"files": []}

    kept = post({**good, "step": 7}, key="kept")
    assert (kept.status_code, kept.json()) == (201, {"digests": [chunk]})
    again = post({**good, "step": 7}, key="kept")  # its chunks are gone from the staging by now
    assert (again.status_code, again.content) == (201, kept.content)
    assert server.manager.load_run_file("sent", "seen.txt") == content
    http.post("runs/sent/finish", json={"writer": "one"}).raise_for_status()
    upload()
    assert post(good).status_code == 409


def test_a_file_that_is_larger_than_the_server_keeps_is_refused(
    http: httpx.Client, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.manager.open_runs.start("net", run="large", writer="one")
    monkeypatch.setenv("LEPTON_FILE_BYTES", "10")
    content, chunk = b"eleven chars", digest_of(b"eleven chars")
    frame = head(chunk, len(content)) + content
    http.post("models/net/chunks", content=frame, headers={"Content-Type": MEDIA}).raise_for_status()

    answer = http.post(
        "runs/large/files",
        json={"files": [{"name": "a.txt", "content": {"digest": chunk, "chunks": [chunk]}}], "writer": "one"},
    )

    assert answer.status_code == 409
    assert "at most 10" in answer.json()["detail"]


def test_files_are_as_hidden_as_their_model(server: Served, run: str) -> None:
    eve = server.client(server.token("read", "write", owner="eve", models=("other*",)))
    reader = server.client(server.token("read", owner="ron"))
    body = {"files": [{"name": "a", "content": {"digest": digest_of(b""), "chunks": []}}]}

    for path in (f"runs/{run}/files", f"runs/{run}/files/page.html"):
        assert (eve.get(path).status_code, reader.get(path).status_code) == (404, 200)
    assert eve.post(f"runs/{run}/files", json=body).status_code == 404
    assert reader.post(f"runs/{run}/files", json=body).status_code == 403


@pytest.fixture
def browsing(server: Served) -> Iterator[httpx.Client]:
    """A browser that is logged in, and sends a cookie alone."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE, follow_redirects=True) as browser:
        form = {"token": server.token("read")}
        browser.post("/login", data=form, headers={"Origin": server.url}).raise_for_status()
        yield browser


def test_the_page_of_a_run_has_a_gallery_at_each_step(browsing: httpx.Client, run: str, server: Served) -> None:
    page = browsing.get(f"/runs/{run}", headers={"Accept-Language": "en"}).text
    early = browsing.get(f"/runs/{run}?step=3", headers={"Accept-Language": "en"}).text
    told = browsing.get(f"/runs/{run}.json").json()["files"]

    links = {each["step"]: each["link"] for each in told if each["name"] == "figures/a b.png"}
    assert all(browsing.get(link).headers["Content-Type"] == "image/png" for link in links.values())
    assert [links[step] in page for step in STEPS] == [False, False, True]
    assert [links[step] in early for step in STEPS] == [True, False, False]
    assert "step 30, one of 3" in page
    assert page.count("<img ") == 24
    assert "More pictures" in page
    more = browsing.get(f"/runs/{run}", params={"after": "many/22.png"}, headers={"Accept-Language": "en"}).text
    assert (more.count("<img "), "More pictures" in more) == (8, False)
    assert "as of step 1: &lt;b&gt;long &lt;/b&gt;" in early
    assert "This is its beginning" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page  # a short text is shown, not run
    assert browsing.get(f"/runs/{run}?step=soon").status_code == 400
    past = server.manager.position()
    with server.manager.run("net", name="later") as later:
        later.log_file("a.png", PIXELS)
        then = server.manager.position()
        later.log_file("a.png", PIXELS + 1)
    (file,) = browsing.get(f"/runs/{later.id}.json", params={"at": then}).json()["files"]
    assert browsing.get(file["link"]).content != server.manager.load_run_file(later.id, "a.png")
    assert browsing.get(f"/runs/{later.id}", params={"at": past}).status_code == 404


def test_a_text_that_cannot_be_read_is_said_and_the_rest_is_shown(browsing: httpx.Client, server: Served) -> None:
    objects = server.manager._settings.home / "objects"
    before = set(objects.rglob("*"))
    with server.manager.run("net", name="damaged") as run:
        run.log_text("lost.txt", "what was written here")
    (pack,) = (path for path in set(objects.rglob("*")) - before if path.is_file())
    pack.chmod(0o600)
    pack.write_bytes(b"\0" * pack.stat().st_size)

    page = browsing.get(f"/runs/{run.id}", headers={"Accept-Language": "en"})

    assert page.status_code == 200
    assert "lost.txt" in page.text
    assert "what was written here" not in page.text
    assert "Hyperparameters" in page.text
