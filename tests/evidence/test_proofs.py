"""Proofs in files: made from a ledger, and checked by the SDK, the command line and a stand-alone program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai import Damaged, LeptonError, ModelManager, Refused, UnknownRevision, verify_proof
from lepton_ai.domain.access.rights import Rights
from lepton_ai.errors import Forbidden, Malformed, NotAsSigned
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.evidence.head import TreeHead, unsigned
from lepton_ai.evidence.keys import make_key
from lepton_ai.ledger import Request
from lepton_ai.results import Proof

from ..asking import note
from ..cli_home import Cli
from ..web.server import served

VERIFIER = Path(__file__).parents[2] / "docs" / "verify_proof.py"
END = 600


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home of 600 events, a key, another ledger, and proofs: of an event, and since a head."""
    folder = tmp_path_factory.mktemp("made")
    key = make_key(folder / "key", "example.org/ledger")
    (folder / "vkey").write_text(str(key))
    (folder / "other").write_text(str(make_key(folder / "other.key", "example.org/ledger")))
    with ModelManager(folder / "home", actor="ada") as manager:
        for n in range(3):
            manager.save_version({"w": np.full(1, n)}, name="net")
        manager.tag("v1", "net@1")
        manager.alias("production", "net@2", reason="passed")
        manager.alias("production", "net@3")
        manager.sign_head(folder / "head", key_file=folder / "key")
        ledger, actor = manager._workspace.ledger, manager._workspace.actors.named("ada")
        ledger.admit_all(Request(note(n, "net"), actor) for n in range(END - manager.position()))
        manager.prove("production", folder / "event.json", key_file=folder / "key")
        manager.prove(None, folder / "since.json", since=folder / "head", key_file=folder / "key")
    with ModelManager(folder / "second", actor="bob") as manager:
        manager.save_version({"w": np.ones(1)}, name="net")
        manager.sign_head(folder / "second.head", key_file=folder / "key")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the test stands."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vkey(folder: Path) -> str:
    return (folder / "vkey").read_text()


def alone(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The stand-alone verifier in a folder that holds the proof and nothing else, with no Lepton to be imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LEPTON", "PYTHON"))}
    blocked = "import sys, runpy; sys.modules['lepton_ai'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    command = [sys.executable, "-c", blocked, str(VERIFIER), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("what", ["event", "since"])
def test_a_proof_is_checked_in_an_empty_folder_without_lepton(folder: Path, tmp_path_factory: Any, what: str) -> None:
    empty = tmp_path_factory.mktemp("empty")
    shutil.copy(folder / f"{what}.json", empty / "proof.json")

    done = alone(empty, "proof.json", vkey(folder))
    unsigned = alone(empty, "proof.json")

    assert (done.returncode, done.stderr) == (0, "")
    assert "signed by example.org/ledger" in done.stdout
    assert f"of {END} events" in done.stdout
    assert (unsigned.returncode, unsigned.stdout.count("NOT looked at")) == (3, 1)


def test_all_say_what_moved_under_which_pseudonym_and_that_no_signature_was_checked(folder: Path) -> None:
    proved = verify_proof("event.json")
    assert proved.event is not None
    cli, own = Cli(folder / "home")(["verify", "event.json"]), alone(folder, "event.json")

    for out in (cli.out, own.stdout):
        assert f"alias production of net: 2 → 3, by pseudonym {proved.event['authid']}" in out
    assert (cli.code, "nobody's signature was checked" in cli.out) == (0, True)
    assert (own.returncode, "NOT looked at" in own.stdout) == (3, True)


def test_what_a_forged_event_says_reaches_no_terminal_as_it_is(folder: Path) -> None:
    event = json.loads(json.loads((folder / "event.json").read_text())["event"])
    raw = json.dumps(event | {"sequence": f"{1:020d}", "authid": "\x1b[2Jada\u202e"})
    head = TreeHead(event["source"].rpartition("/")[2], 1, leaf_hash(raw.encode()), None)
    forged = Proof("inclusion", (), str(unsigned(head).note), seq=1, event=raw)
    (folder / "forged.json").write_text(forged.written())

    for out in (Cli(folder / "home")(["verify", "forged.json"]).out, alone(folder, "forged.json").stdout):
        assert "by pseudonym" in out
        assert not {"\x1b", "\u202e"} & set(out)


def test_a_request_holds_few_heads(folder: Path) -> None:
    with served(folder / "home") as server, httpx.Client(base_url=server.url, headers={"Origin": server.url}) as http:
        store = server.manager._workspace.ledger.store
        heads = [unsigned(TreeHead(store.ledger_id, size, store.root(size), None)) for size in range(1, 202)]
        notes = [f"{each.note}— w AAAAAAA=\n" for each in heads]
        many = "".join(notes)

        for told in (
            http.post("/api/v1/verify", json={"heads": many}),
            http.post("/proof", data={"head": many, "proof": "", "key": ""}),
        ):
            assert (told.status_code, "201 different heads" in told.text) == (400, True)
        assert http.post("/api/v1/verify", json={"heads": "".join(notes[:9] * 99)}).status_code == 200


def test_it_is_below_200_lines_and_needs_cryptography_alone() -> None:
    source = VERIFIER.read_text()
    imported = {
        line.split()[1].partition(".")[0]
        for line in source.splitlines()
        if line.strip().startswith(("import ", "from "))
    }

    assert len(source.splitlines()) < 200
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


@pytest.mark.parametrize("what", ["event", "since"])
def test_the_command_line_checks_it_where_there_is_no_ledger(folder: Path, tmp_path_factory: Any, what: str) -> None:
    empty = tmp_path_factory.mktemp("empty")
    cli = Cli(empty / "none", LEPTON_HOME=None)

    ended = cli(["verify", str(folder / f"{what}.json"), "--key", vkey(folder), "--json"])

    assert ended.code == 0
    assert ended.json["proved"]["key"] == vkey(folder)
    assert ended.json["proved"]["size"] == END
    assert list(empty.iterdir()) == []


def test_what_is_proved_is_the_event_as_it_is_stored(folder: Path) -> None:
    proved = verify_proof("event.json", key=[vkey(folder)])

    with ModelManager("home") as manager:
        (event,) = [each for each in manager.events(opened=False) if int(each["sequence"]) == proved.seq]
    assert proved.event == event
    assert event["type"] == "lepton.alias.moved.v1"


@pytest.mark.parametrize(
    ("what", "type", "version"),
    [
        ("production", "lepton.alias.moved.v1", 3),
        ("net@production", "lepton.alias.moved.v1", 3),
        ("v1", "lepton.tag.created.v1", 1),
        ("main", "lepton.version.committed.v1", 3),
        ("net@2", "lepton.version.committed.v1", 2),
        ("main~1", "lepton.version.committed.v1", 2),
        ("net", "lepton.version.committed.v1", 3),
    ],
)
def test_a_revision_means_the_event_that_made_or_moved_it(folder: Path, what: str, type: str, version: int) -> None:
    with ModelManager("home") as manager:
        event = verify_proof(manager.prove(what)).event

    assert event is not None
    assert event["type"].rpartition(".v")[0] == type.rpartition(".v")[0]
    assert version in (event["data"].get("version"), event["data"].get("to_version"), event["data"].get("to"))


def test_a_version_as_it_was_saved_means_its_commit_and_a_number_an_event(folder: Path) -> None:
    with ModelManager("home") as manager:
        saved = manager.save_version({"w": np.full(1, 9.0)}, name="net")

        assert verify_proof(manager.prove(saved)).seq == manager.position()
        assert verify_proof(manager.prove(4)).seq == 4


def test_a_server_proves_events_to_who_may_read_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_SIGNING_KEY", str(folder / "key"))
    with served(folder / "home") as server, ModelManager(server.url) as manager:
        told = server.client().get("/proofs/net@production")
        proof = manager.prove("net@production", "p.json")

        assert verify_proof(told.json(), key=vkey(folder)).seq == proof.seq
        assert verify_proof("p.json", key=vkey(folder)).event is not None
        assert manager.as_of(5).prove(5).seq == 5
        assert server.client().get("/proofs/601").status_code == 404
        assert verify_proof(manager.prove(since="head"), key=vkey(folder)).since is not None
        with pytest.raises(Refused, match="leaves are read from a ledger's own files"):
            manager.sign_head("h", leaves="l")


def test_every_event_is_proved_under_the_end_and_under_an_earlier_head(folder: Path) -> None:
    with ModelManager("home") as manager:
        for seq in (1, 2, 255, 256, 257, 511, 512, 513, 599, END):
            assert verify_proof(manager.prove(seq)).seq == seq
            assert verify_proof(manager.as_of(seq).prove(1)).size == seq
        proof = manager.prove(1, head="head")
    assert proof.head == Path("head").read_text()
    assert verify_proof(proof, key=vkey(folder)).seq == 1


def test_a_proof_reads_few_rows_however_long_the_log_is(folder: Path) -> None:
    with ModelManager("home") as manager:
        store, reads = manager._workspace.ledger.store, list[int]()
        subtree = type(store).subtree

        def counting(self: Any, height: int, place: int) -> bytes:
            reads.append(height)
            return subtree(self, height, place)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(store), "subtree", counting)
            manager.prove(300)

    assert len(reads) <= 2 * END.bit_length()
    assert sum(1 << height % 8 for height in reads) <= 256 * 2


def test_a_proof_since_a_head_of_now_is_one(folder: Path) -> None:
    with ModelManager("home") as manager:
        manager.sign_head("now", key_file="key")
        proved = verify_proof(manager.prove(since="now", key_file="key"), key=vkey(folder))

    assert (proved.since, proved.size) == (END, END)


def changed(name: str, change: Callable[[dict[str, Any]], object]) -> None:
    proof = json.loads(Path(name).read_text())
    change(proof)
    Path("proof.json").write_text(json.dumps(proof))


def set_to(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda proof: proof.update(values)


def put(name: str, old: str, new: str) -> Callable[[dict[str, Any]], object]:
    def change(proof: dict[str, Any]) -> None:
        assert old in proof[name]
        proof[name] = proof[name].replace(old, new, 1)

    return change


ZERO = "sha256:" + "0" * 64
BAD: dict[str, tuple[str, Callable[[dict[str, Any]], object], type[LeptonError], str]] = {
    "another event": ("event", put("event", '"streamversion":', '"streamversion": '), NotAsSigned, "is not what was"),
    "another place": ("event", lambda proof: proof.update(seq=proof["seq"] + 1), NotAsSigned, "is not what was signed"),
    "a place behind the end": ("event", set_to(seq=END + 1), Malformed, "it proves nothing"),
    "place 0": ("event", set_to(seq=0), Malformed, "it proves nothing"),
    "no place": ("event", set_to(seq=None), Malformed, "it proves nothing"),
    "true": ("event", set_to(seq=True), Malformed, "it proves nothing"),
    "no event": ("event", set_to(event="{}"), Malformed, "no event of a ledger"),
    "half an event": ("event", lambda proof: proof.update(event=proof["event"][:-9]), Malformed, "no event of a"),
    "an event of half a character": ("event", set_to(event="\ud800"), Malformed, "no event of a ledger"),
    "one hash less": ("event", lambda proof: proof["path"].pop(), NotAsSigned, "leads nowhere"),
    "one hash more": ("event", lambda proof: proof["path"].append(ZERO), NotAsSigned, "leads nowhere"),
    "another hash": ("event", lambda proof: proof["path"].__setitem__(0, ZERO), NotAsSigned, "expected root"),
    "no hash": ("event", lambda proof: proof["path"].__setitem__(0, "sha256:0"), Malformed, "no list of hashes"),
    "numbers for hashes": ("event", set_to(path=[1, 2]), Malformed, "no list of hashes"),
    "no path": ("event", set_to(path="sha256:"), Malformed, "no list of hashes"),
    "65 hashes": ("event", set_to(path=[ZERO] * 65), Malformed, "no list of hashes"),
    "no head": ("event", set_to(head=None), Malformed, "has no head"),
    "two heads": ("event", lambda proof: proof.update(head=proof["head"] * 2), Malformed, "not one signed head"),
    "a later time": ("event", put("head", "time 20", "time 21"), NotAsSigned, "one of another text"),
    "another size": ("event", put("head", f"\n{END}\n", f"\n{END + 1}\n"), NotAsSigned, "one of another text"),
    "size 0": ("event", put("head", f"\n{END}\n", "\n0\n"), Malformed, "nothing can be proved"),
    "no signature": ("event", lambda proof: proof.update(head=proof["head"].partition("— ")[0]), Refused, "by nobody"),
    "another form": ("event", set_to(format="lepton-proof/2"), Malformed, "no proof of the form"),
    "another kind": ("event", set_to(kind="exclusion"), Malformed, "no proof of the form"),
    "no earlier head": ("since", set_to(since=None), Malformed, "has no since"),
    "heads swapped": ("since", lambda p: p.update(since=p["head"], head=p["since"]), Malformed, "swap them"),
    "another path": ("since", lambda p: p["path"].__setitem__(-1, ZERO), NotAsSigned, "the later head is not what was"),
    "no hashes at all": ("since", set_to(path=[]), NotAsSigned, "leads nowhere|is not what was signed"),
}  # fmt: skip
"""What is wrong with a proof, and what is said of it by whoever has the key."""


@pytest.mark.parametrize("what", BAD)
def test_a_bad_proof_proves_nothing(folder: Path, what: str) -> None:
    name, change, kind, why = BAD[what]
    changed(f"{name}.json", change)

    with pytest.raises(kind, match=why) as caught:
        verify_proof("proof.json", key=vkey(folder))
    assert "\n" not in str(caught.value)


def test_the_command_line_exits_with_5_for_a_proof_that_was_altered(folder: Path) -> None:
    changed("event.json", put("event", '"reason":', '"reason" :'))

    ended = Cli(folder / "home")(["verify", "proof.json", "--key", vkey(folder)])

    assert (ended.code, ended.out, ended.err.count("\n")) == (5, "", 1)
    assert "is not what was signed: expected root sha256:" in ended.err


def test_the_stand_alone_verifier_finds_all_of_that_too(folder: Path) -> None:
    code = (
        f"import sys, runpy; main = runpy.run_path({str(VERIFIER)!r})['main'];"
        "print(*(main([name, sys.argv[1]]) for name in sys.argv[2:]))"
    )
    for what, (name, change, *_) in BAD.items():
        changed(f"{name}.json", change)
        Path("proof.json").rename(f"{what}.json")
    command = [sys.executable, "-c", code, vkey(folder), *(f"{what}.json" for what in BAD)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["1"] * len(BAD)
    assert done.stderr.count("NOT PROVED") == len(done.stderr.splitlines()) == len(BAD)


@pytest.mark.parametrize(
    ("line", "code", "why"),
    [
        ("verify nothing.json", 1, "there is no file"),
        ("verify half.json", 1, "is no JSON"),
        ("verify home", 1, "Is a directory"),
        ("verify list.json", 1, "a proof is a JSON object"),
        ("verify event.json --key nonsense", 1, "not a verifier key"),
        ("verify event.json --key {other}", 1, "not signed by example.org/ledger, but by example.org/ledger"),
        ("verify event.json --against head", 2, "give one of them"),
        ("verify --leaves x", 2, "give it with --against"),
        ("verify --against second.head", 1, "the head is of ledger"),
        ("prove -o p.json", 2, "give one of the two"),
        ("prove 1 --since head -o p.json", 2, "give one of the two"),
        ("prove 601 -o p.json", 1, "there is no event 601; the log of the head has events 1 to 600"),
        ("prove 0 -o p.json", 1, "there is no event 0"),
        ("prove 99999999999999999999999 -o p.json", 1, "there is no event 999"),
        ("prove 300 --head head -o p.json", 1, "there is no event 300; the log of the head has events 1 to"),
        ("prove nobody -o p.json", 1, "nobody"),
        ("prove net@9 -o p.json", 1, "9"),
        ("prove 1 --key nothing -o p.json", 1, "there is no file"),
        ("prove 1 -o home", 1, "is no file"),
        ("prove 1 -o none/p.json", 1, "there is no folder"),
        ("prove --since second.head -o p.json", 1, "the head is of ledger"),
        ("prove --since event.json -o p.json", 1, "names no ledger"),
        ("sign-head", 2, "-o names"),
        ("sign-head -o h", 1, "no key is given to sign with"),
        ("sign-head --key key -o second.head", 1, "the head is of ledger"),
        ("sign-head --key key -o vkey", 1, "names no ledger"),
        ("sign-head --key open -o h", 1, "may be read by others, who could sign with it; `chmod 600"),
        ("sign-head --key vkey -o h", 1, "this is not a signing key"),
        ("sign-head --key bent -o h", 1, "not a signing key|another id"),
        ("sign-head --key home/key -o h", 1, "lies in the ledger's home"),
        ("sign-head --key key --key-command true -o h", 1, "give one of the two"),
        ("sign-head --key-command true -o h", 1, "which key it signs with is not said"),
        ("sign-head --key-command true --verifier {vkey} -o h", 1, "gave no Ed25519 signature"),
        ("sign-head --key-command false --verifier {vkey} -o h", 3, "ended with 1"),
        ("sign-head --key-command ./nothing --verifier {vkey} -o h", 1, "cannot be run"),
        ("sign-head --key-command 'head -c 64 /dev/zero' --verifier {vkey} -o h", 1, "does not verify by"),
        ("sign-head --make-key key", 1, "is there already, and a key is never written over"),
        ("sign-head --make-key k --name 'a b'", 1, "is no name for a key"),
        ("sign-head --make-key k -o h", 2, "makes a key and signs nothing"),
        ("sign-head --make-key none/k", 1, "there is no folder"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(folder: Path, line: str, code: int, why: str) -> None:
    whole = Path("event.json").read_text()
    Path("half.json").write_text(whole[: len(whole) // 2])
    Path("list.json").write_text("[1]")
    shutil.copy("key", "open")
    Path("vkey").chmod(0o600)
    Path("open").chmod(0o640)
    Path("bent").write_text(Path("key").read_text().replace("+", "x", 3))
    Path("bent").chmod(0o600)
    shutil.copy("key", "home/key")
    before = contents(folder)

    ended = Cli(folder / "home")(line.format(vkey=vkey(folder), other=Path("other").read_text()))

    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert any(each in ended.err for each in why.split("|")), ended.err
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "-shm" not in path.name)
    return {str(path): path.read_bytes() for path in files if "-wal" not in path.name}


def test_a_command_signs_and_its_key_is_never_seen(folder: Path) -> None:
    program = (
        "import sys, base64; from pathlib import Path;"
        "from lepton_ai.evidence.keys import _in_file;"
        "sign = _in_file(Path('key'), Path('nowhere')).sign;"
        "print(base64.b64encode(sign(sys.stdin.buffer.read())).decode())"
    )
    Path("signs.py").write_text(program)

    with ModelManager("home") as manager:
        head = manager.sign_head("h", key_command=f"{sys.executable} signs.py", verifier=vkey(folder))
        assert manager.verify(against="h", key=vkey(folder)).against == head


def test_the_settings_say_who_signs_and_who_must_have_signed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_SIGNING_KEY", str(folder / "key"))
    monkeypatch.setenv("LEPTON_VERIFIER_KEY", vkey(folder))

    with ModelManager("home") as manager:
        assert manager.sign_head("h").key == vkey(folder)
        assert verify_proof(manager.prove(1), key=vkey(folder)).seq == 1
        verified = manager.verify(against="h").against
    assert verified is not None
    assert verified.key == vkey(folder)
    monkeypatch.setenv("LEPTON_VERIFIER_KEY", Path("other").read_text())
    with ModelManager("home") as manager, pytest.raises(Refused, match="not signed by"):
        manager.verify(against="h")


def test_a_key_is_made_for_its_owner_alone_under_the_ledgers_own_name(folder: Path) -> None:
    ended = Cli(folder / "home")("sign-head --make-key new --json")

    with ModelManager("home") as manager:
        name = f"lepton/{manager.verify().ledger}"
        assert manager.sign_head(key_file="new").key == ended.json["key"]
    assert ended.json["key"].startswith(f"{name}+")
    assert Path("new").stat().st_mode & 0o777 == 0o600


def test_a_tree_that_does_not_fit_its_events_gives_no_proof(folder: Path) -> None:
    import sqlite3

    with sqlite3.connect("home/main.db") as connection:
        connection.execute("UPDATE tiles SET hash = ? WHERE place = 0", (bytes(32),))
    connection.close()

    with ModelManager("home") as manager, pytest.raises(Damaged, match="not what was signed"):
        manager.prove(300, "p.json")
    assert not Path("p.json").exists()


def test_what_may_not_be_read_is_not_proved(folder: Path) -> None:
    with ModelManager("home") as manager:
        manager.save_version({"w": np.ones(1)}, name="secret")
        last = manager.position()
        reader = manager.acting("bea", Rights(frozenset({"read"}), ("net",)))

        assert reader.prove("net@1").seq is not None
        with pytest.raises(UnknownRevision, match="among those that you may read"):
            reader.prove(last)
        with pytest.raises(Forbidden):
            reader.sign_head(key_file="key")
