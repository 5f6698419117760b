"""Proofs on their page: checked in a browser, by the server, and by all else; and a broken history turns pages red."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import LeptonError
from lepton_ai.evidence.head import TreeHead, unsigned
from lepton_ai.evidence.keys import make_key
from lepton_ai.evidence.proof import verify_proof
from lepton_ai.ledger import Request
from lepton_ai.web.pages.assets import ASSETS, asset

from ...asking import note, until
from ...cli_home import Cli
from ...evidence.rewriting import cut, rewrite
from ...evidence.test_tree import CONSISTENCY, INCLUSION, LEAVES, PUBLISHED_LEAVES, ROOTS, TREE
from ..server import Served, served
from .story import open_to_its_user
from .test_browser import PAGES

VERIFIER: Final = Path(__file__).parents[3] / "docs" / "verify_proof.py"
LATER: Final = 1_000
"""Events that are recorded after a page of the past was read."""
SIZES: Final = (1, 2, 3, 7, 8, 33, 64, 70)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that signs with a key, whose verifier key is in the file `vkey` beside the home."""
    folder = tmp_path_factory.mktemp("proof")
    key = make_key(folder / "key", "example.org/ledger")
    (folder / "vkey").write_text(str(key))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPTON_SIGNING_KEY", str(folder / "key"))
        with open_to_its_user(folder / "home") as server:
            yield server


@pytest.fixture
def vkey(server: Served) -> str:
    return (server.service.home.settings.home.parent / "vkey").read_text()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(locale="en")
    yield context.new_page()
    context.close()


def outcomes(page: Any, form: str) -> list[str]:
    """What the browser says of a form, once it has said it."""
    page.locator(f"#{form} .outcomes li").first.wait_for()
    return page.locator(f"#{form} .outcomes li").all_inner_texts()


def checked(page: Any, form: str, text: str, key: str = "") -> list[str]:
    page.locator(f"#{form} .outcomes").evaluate("list => list.replaceChildren()")
    page.locator(f"#{form} textarea").fill(text)
    page.locator(f"#{form} [name=key]").fill(key)
    page.locator(f"#{form} .primary").click()
    return outcomes(page, form)


def alone(folder: Path, vkey: str) -> int:
    command = [sys.executable, str(VERIFIER), "proof.json", vkey]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def test_a_proof_holds_in_the_browser_in_an_empty_folder_and_for_the_verifier_and_an_altered_byte_fails_in_all(
    server: Served, page: Any, vkey: str, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/proof?event=credit@production")
    first = outcomes(page, "check")
    with page.expect_download() as download:
        page.get_by_text("Download the proof").click()
    file = tmp_path / "proof.json"
    shutil.copy(download.value.path(), file)
    cli = Cli(tmp_path / "none", LEPTON_HOME=None)
    whole = file.read_text()

    assert "✓ " in first[0]
    assert "steps lead from the leaf to the root" in first[1]
    assert first[-1] == "– No key was given, so nobody's signature was checked."
    assert checked(page, "check", whole, vkey)[-1] == "✓ The head is signed by example.org/ledger."
    assert cli(["verify", str(file), "--key", vkey]).code == 0
    assert alone(tmp_path, vkey) == 0

    proof = json.loads(whole)
    for altered in (
        proof | {"event": proof["event"].replace("alias", "alibi", 1)},
        proof | {"path": [proof["path"][0][:-1] + ("0" if proof["path"][0][-1] != "0" else "1"), *proof["path"][1:]]},
        proof | {"head": proof["head"].replace("time 2", "time 1", 1)},
    ):
        file.write_text(json.dumps(altered))
        said = checked(page, "check", file.read_text(), vkey)
        assert any(each.startswith("✗") for each in said), said
        assert cli(["verify", str(file), "--key", vkey]).code == 5
        assert alone(tmp_path, vkey) not in (0, 3)


def test_what_is_given_to_the_page_is_not_sent(server: Served, page: Any, vkey: str, tmp_path: Path) -> None:
    server.manager.prove(5, tmp_path / "proof.json")
    page.goto(f"{server.url}/proof")
    outcomes(page, "seen")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.locator("#check [name=key]").fill(vkey)
    page.locator("#check input[type=file]").set_input_files(tmp_path / "proof.json")

    assert len(outcomes(page, "check")) == 5
    assert sent == []


def test_without_javascript_the_server_checks(server: Served, browser: Any, vkey: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(f"{server.url}/proof?event=5")
    page.locator("#check [name=key]").fill(vkey)
    page.get_by_text("Have the server check it").first.click()
    assert page.locator(".done").inner_text().startswith("It holds: event 5 is in the log")
    assert ", by pseudonym " in page.locator(".done").inner_text()
    page.locator("#check textarea").fill(page.locator("#check textarea").input_value().replace('"seq": 5', '"seq": 6'))
    page.get_by_text("Have the server check it").first.click()
    assert "is not what was signed" in page.locator(".refusal:visible").inner_text()

    page.locator("#hold textarea").fill(server.manager.sign_head().note)
    page.locator("#hold [data-server]").click()
    assert "this ledger's log goes on from the head" in page.locator(".done").inner_text()
    context.close()


def test_the_browser_computes_as_published(server: Served, page: Any) -> None:
    leaves = [bytes.fromhex(each) for each in PUBLISHED_LEAVES]
    from lepton_ai.events.merkle import Frontier, leaf_hash
    from lepton_ai.evidence.tree import consistency, inclusion

    hashed = [leaf_hash(each) for each in leaves]
    roots = [Frontier().extended(hashed[:size])[0].root().hex() for size in range(len(leaves) + 1)]
    included = [(hashed[i].hex(), i, size, path, roots[size]) for (i, size), path in INCLUSION.items()]
    grown = [(old, size, roots[old], path, roots[size]) for (old, size), path in CONSISTENCY.items() if old < size]
    for size in SIZES:
        for i in range(0, size, 5):
            path = [each.hex() for each in inclusion(TREE, i, size)]
            included.append((LEAVES[i].hex(), i, size, path, ROOTS[size].hex()))
        for old in (each for each in SIZES if each < size):
            path = [each.hex() for each in consistency(TREE, old, size)]
            grown.append((old, size, ROOTS[old].hex(), path, ROOTS[size].hex()))
    page.goto(f"{server.url}/proof")
    script = page.locator("script[src*=proof]").get_attribute("src").replace("proof.js", "evidence.js")

    wrong = page.evaluate(
        """async ([script, leaves, hashed, included, grown]) => {
            const { hex, unhex, leafHash, rootOfInclusion, rootsOfConsistency } = await import(script);
            const wrong = [];
            for (const [place, each] of leaves.entries())
                if (hex(await leafHash(unhex(each))) !== hashed[place]) wrong.push(["leaf", each]);
            for (const [leaf, index, size, path, root] of included) {
                const found = await rootOfInclusion(unhex(leaf), index, size, path.map(unhex));
                const other = await rootOfInclusion(unhex(leaf), index + 1, size, path.map(unhex));
                const longer = await rootOfInclusion(unhex(leaf), index, size, [...path, leaf].map(unhex));
                if (!found || hex(found) !== root || (other && hex(other) === root) || longer)
                    wrong.push(["inclusion", index, size]);
            }
            for (const [old, size, oldRoot, path, root] of grown) {
                const found = await rootsOfConsistency(old, size, unhex(oldRoot), path.map(unhex));
                const longer = await rootsOfConsistency(old, size, unhex(oldRoot), [...path, root].map(unhex));
                if (!found || hex(found[0]) !== oldRoot || hex(found[1]) !== root || longer)
                    wrong.push(["consistency", old, size]);
            }
            return wrong;
        }""",
        [script, PUBLISHED_LEAVES, [each.hex() for each in hashed], included, grown],
    )

    assert wrong == []


# ── a history that was rewritten, or cut short ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of 30 events, and a head of it signed by a key that lies beside it; its server has none."""
    monkeypatch.delenv("LEPTON_SIGNING_KEY", raising=False)
    key = make_key(tmp_path / "key", "example.org/ledger")
    (tmp_path / "vkey").write_text(str(key))
    with ModelManager(tmp_path / "home", actor="ada") as manager:
        manager.save_version({"w": np.ones(1)}, name="net")
        ledger, actor = manager._workspace.ledger, manager._workspace.actors.named("ada")
        ledger.admit_all(Request(note(1000 + seq, "net"), actor) for seq in range(manager.position() + 1, 31))
        manager.sign_head(tmp_path / "head", key_file=tmp_path / "key")
    return tmp_path / "home"


@pytest.mark.parametrize("what", ["rewritten", "cut short"])
def test_a_broken_history_turns_pages_red_until_somebody_accepts_it(home: Path, browser: Any, what: str) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    with served(home) as server:
        port, head = int(server.url.rpartition(":")[2]), (home.parent / "head").read_text()
        page.goto(f"{server.url}/proof")
        assert "This browser had seen no head here" in outcomes(page, "seen")[0]
        assert checked(page, "hold", head, (home.parent / "vkey").read_text()) == [
            "✓ This ledger's log goes on from the head of 30 events; 0 events came later.",
            "✓ The head is signed by example.org/ledger.",
        ]
    if what == "rewritten":
        rewrite(home / "main.db", 20, b'"n":1020', b'"n":1021')
        named = "an event among 1 to 30 is the first that differs"
    else:
        cut(home / "main.db", 22)
        named = "the log ends at 22, and event 23 is the first that is missing"
    with served(home, port=port) as server:
        page.goto(f"{server.url}/status")
        page.locator("#alarm").wait_for()
        assert what in page.locator("#alarm p").inner_text()
        assert "head of 30 events" in page.locator("#alarm p").inner_text()
        page.goto(f"{server.url}/m/net")
        page.locator("#alarm").wait_for()
        page.get_by_text("What this means, and what to do").click()
        assert "does not go on from the head of 30 events" in outcomes(page, "seen")[0]
        assert named in checked(page, "hold", head)[0]
        assert "broken" in page.locator("body").get_attribute("class")
        page.locator("#hold [data-server]").click()
        page.locator("main .refusal").wait_for()
        assert "is not what was signed" in page.locator("main .refusal").inner_text()

        page.locator("#accept button").click()
        page.locator("#seen .green").wait_for()
        page.goto(f"{server.url}/status")
        until(lambda: '"why"' not in page.evaluate("localStorage.getItem('lepton-heads')"))
        assert page.locator("#alarm").is_hidden()
    context.close()


def test_another_ledger_at_the_address_is_told_differently(home: Path, tmp_path: Path, browser: Any) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    with served(home) as server:
        port = int(server.url.rpartition(":")[2])
        page.goto(f"{server.url}/proof")
        outcomes(page, "seen")
    with served(tmp_path / "another", port=port) as server:
        server.manager.save_version({"w": np.ones(1)}, name="net")
        page.goto(f"{server.url}/status")
        page.locator("#alarm").wait_for()

        assert page.locator("#alarm p").inner_text().startswith("Another ledger is at this address")
    context.close()


def test_a_server_that_cannot_show_that_its_log_went_on_turns_pages_red(home: Path, browser: Any) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    with served(home) as server:
        page.goto(f"{server.url}/proof")
        outcomes(page, "seen")
        told = httpx.get(f"{server.url}/head.json").json()

        def lie(route: Any) -> None:
            route.fulfill(json={**told, "path": ["x"]})

        page.route("**/head.json*", lie)
        page.goto(f"{server.url}/status")
        page.locator("#alarm").wait_for()
        page.unroute("**/head.json*", lie)
        page.goto(f"{server.url}/proof")
        assert "goes on from that of 30" in outcomes(page, "seen")[0]
        assert page.locator("#alarm").is_visible()
        assert page.locator("#accept").is_visible()
    context.close()


def test_a_look_at_a_server_that_was_away_is_taken_again(home: Path, browser: Any) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    with served(home) as server:
        page.route("**/head.json*", lambda route: route.abort())
        with page.expect_event("requestfailed"):
            page.goto(f"{server.url}/m/net")
        assert page.evaluate("sessionStorage.getItem('lepton-looked')") is None
        page.unroute("**/head.json*")
        page.goto(f"{server.url}/m/net")
        until(lambda: page.evaluate("sessionStorage.getItem('lepton-looked')") is not None)
    context.close()


def test_two_looks_at_once_take_turns_so_that_neither_keeps_an_older_head(home: Path, page: Any) -> None:
    with served(home) as server:
        page.goto(f"{server.url}/proof")
        outcomes(page, "seen")
        script = page.locator("script[src*=proof]").get_attribute("src").replace("proof.js", "evidence.js")
        most, size = page.evaluate(
            """async (script) => {
                const { look, accept } = await import(script);
                const [ask, counts] = [window.fetch, { now: 0, most: 0 }];
                window.fetch = async (...how) => {
                    counts.most = Math.max(counts.most, ++counts.now);
                    try { return await ask(...how); } finally { counts.now--; }
                };
                await Promise.all([look(), accept(), look(), look()]);
                const { heads, last } = JSON.parse(localStorage.getItem("lepton-heads"));
                return [counts.most, heads[last].size];
            }""",
            script,
        )
        assert (most, size) == (1, 30)


def test_every_kept_head_is_held_against_the_head_that_was_shown_first(home: Path, page: Any) -> None:
    with served(home) as server:
        store, end = server.manager._workspace.ledger.store, server.manager.position()

        def kept(size: int, root: bytes | None = None) -> str:
            note = unsigned(TreeHead(store.ledger_id, size, root or store.root(size), None)).note
            return f"{note}— w AAAAAAA=\n\n"

        page.goto(f"{server.url}/proof")
        good, bad = kept(20), b"\x07" * 32
        assert checked(page, "hold", kept(4) + kept(4) + good)[0].startswith("✓ ")
        assert "event among 5 to 9 is the first" in checked(page, "hold", kept(4) + kept(9, bad) + good)[0]
        assert "Event 5 is the first" in checked(page, "hold", kept(4) + kept(5, bad))[0]
        page.route("**/head.json*", lambda route: route.abort())
        for two in (kept(20, bad) + good, good + kept(20, bad)):
            assert "of 20 events and have two roots" in checked(page, "hold", two)[0]
        page.unroute("**/head.json*")

        def old(route: Any) -> None:  # what it tells of a size is the head of that size, whatever the log is by now
            size = re.search(r"since=([1-9][0-9]*)", route.request.url)
            head = kept(int(size[1])) if size else kept(end, bad)
            route.fulfill(json={"head": head.partition("—")[0], "path": []})

        page.route("**/head.json*", old)
        assert checked(page, "hold", good)[0].startswith("✗ ")
        assert "broken" in page.locator("body").get_attribute("class")


def test_the_browser_takes_no_proof_that_python_does_not(server: Served, page: Any) -> None:
    page.goto(f"{server.url}/proof")
    proof = server.manager.prove("credit@production").to_dict()
    event = json.loads(proof["event"])
    for altered in (
        {"event": proof["event"].replace("alias", "\ud800", 1)},
        {"head": [proof["head"]]},
        {"path": [[each] for each in proof["path"]]},
        {"event": json.dumps({name: event[name] for name in ("sequence", "source")})},
        {"event": json.dumps(event | {"type": 1})},
    ):
        text = json.dumps(proof | altered)
        assert checked(page, "check", text) == ["✗ This is no proof of Lepton's: give the whole file."]
        with pytest.raises(LeptonError):
            verify_proof(json.loads(text))
    moved = checked(page, "check", json.dumps(proof))[3]
    assert f"by pseudonym {event['authid']}" in moved
    assert "It says: alias production of credit: " in moved


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_heads_and_proofs_over_http_are_checked_where_they_are_kept(home: Path, tmp_path: Path) -> None:
    key, vkey = str(tmp_path / "key"), (tmp_path / "vkey").read_text()
    with ModelManager(home) as local:
        local.sign_head(tmp_path / "kept", key_file=key, leaves=tmp_path / "leaves")
    with served(home) as server, ModelManager(server.url) as remote:
        server.manager.annotate("net@1", {"n": "later"})
        head = remote.sign_head(tmp_path / "own", key_file=key)
        assert (head.size, head.key) == (server.manager.position(), vkey)
        grew = remote.prove(since=tmp_path / "kept", key=vkey, key_file=key)
        assert verify_proof(grew, key=vkey).since == 30
        under = remote.prove("net@1", head=tmp_path / "kept", key=vkey)
        assert verify_proof(under, key=vkey).size == 30
        verified = remote.verify(against=tmp_path / "kept", key=vkey, leaves=tmp_path / "leaves")
        assert verified.against is not None
        assert (verified.size, verified.against.key) == (head.size, vkey)
        with pytest.raises(LeptonError, match="has no key to sign with"):
            remote.sign_head(tmp_path / "unsigned")
    rewrite(home / "main.db", 20, b'"n":1020', b'"n":1021')
    with served(home) as server, ModelManager(server.url) as remote:
        with pytest.raises(LeptonError, match="history from event 1 to 30 is not what was signed"):
            remote.verify(against=tmp_path / "kept")
        with pytest.raises(LeptonError, match="event 20, the first that differs, is not what was signed"):
            remote.verify(against=tmp_path / "kept", leaves=tmp_path / "leaves")
        for ask in (
            lambda: remote.prove(since=tmp_path / "kept"),
            lambda: remote.prove(1, head=tmp_path / "kept"),
            lambda: remote.sign_head(tmp_path / "kept", key_file=key),
        ):
            with pytest.raises(LeptonError, match="is not what was signed"):
                ask()


def test_pages_of_the_past_are_the_same_bytes_after_more_events(tmp_path: Path) -> None:
    with open_to_its_user(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60) as http:
        end = server.manager.position()
        paths = [
            f"{path.partition('#')[0]}{'&' if '?' in path else '?'}at={end}" for path in PAGES if "at=" not in path
        ]
        headers = {"Accept-Language": "en"}
        answers = {path: http.get(path, headers=headers) for path in paths if not path.startswith("/status")}
        before = {path: answer.text for path, answer in answers.items() if answer.status_code == 200}
        assert len(before) > 25  # what is refused, and how the ledger is, are of now
        ledger, actor = server.manager._workspace.ledger, server.manager._workspace.actors.named("ada")
        ledger.admit_all(Request(note(n, "credit"), actor) for n in range(LATER))
        assert server.manager.position() == end + LATER

        assert [path for path, text in before.items() if http.get(path, headers=headers).text != text] == []


def test_the_scripts_are_small() -> None:
    import gzip

    assert sum(len(gzip.compress(asset(name))) for name in ASSETS if name.endswith(".js")) < 25_000
