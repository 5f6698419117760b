"""Who may use a home: its owner alone, the group it was made for, and others as far as its modes let them read."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused
from lepton_ai.home import chosen
from lepton_ai.projections.queries.client import connected
from lepton_ai.wiring import Home

from ..asking import until
from ..cli_home import Cli
from .members import ADA, BOB, SITE, STRANGER, TEAM, Member, can_be_others, open_folder, python

others = pytest.mark.skipif(not can_be_others(), reason="only root can be somebody else, by an interpreter all can run")


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that everybody can go into, and Ada owns."""
    with open_folder() as folder:
        yield folder


def modes(home: Path) -> dict[str, int]:
    """The mode of everything in a home, by what it is."""
    found = {".": stat.S_IMODE(home.stat().st_mode)}
    for path in home.rglob("*"):
        kind = "folder" if path.is_dir() else "socket" if path.is_socket() else "file"
        found[f"{kind} {path.relative_to(home)}"] = stat.S_IMODE(path.lstat().st_mode)
    return found


def wrong(home: Path, folder: int, file: int) -> dict[str, str]:
    """What has another mode than its kind should."""
    return {
        name: oct(mode) for name, mode in modes(home).items() if mode != (file if name[:2] in ("fi", "so") else folder)
    }


ALL = """
import sys, numpy as np
from lepton_ai import ModelManager
with ModelManager(sys.argv[1], strict=True) as manager:
    n = int(manager.save_version({"w": np.full(3, float(sys.argv[2]))}, name="net", message="mine"))
    assert manager.load_arrays(f"net@{n}")["w"][0] == float(sys.argv[2])
    assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": n}]
    with manager.run("net") as run:
        run.log({"loss": 0.5}, step=1)
    manager.rollback("net@1", reason="to see")
    manager.rollback(f"net@{n}", reason="back")
    assert manager.fsck() == []
    manager.rebuild()
    print(n)
"""


def adas(home: Path, versions: int) -> Path:
    """A ledger of some versions, which belongs to Ada alone."""
    with ModelManager(home, actor="ada") as manager:
        for n in range(1, versions + 1):
            manager.save_version({"w": np.full(3, float(n))}, name="net", message="mine", metrics={"f1": n / 4})
    for path in (home, *home.rglob("*")):
        os.chown(path, ADA.user, ADA.user)
    return home


@pytest.mark.parametrize("given", ["missing", "empty"])
def test_a_home_is_its_owners_alone(tmp_path: Path, given: str) -> None:
    place = tmp_path / "home"
    if given == "empty":
        place.mkdir(0o755)
    before = os.umask(0)
    try:
        with ModelManager(place) as manager:
            manager.save_version({"w": np.ones(3)}, name="net", files={"a.txt": b"a"})
            manager.sql("SELECT 1")
            home = Home(manager._settings)
            (place / "main.db").rename(place / "away.db")
            manager.save_version({"w": np.zeros(3)}, name="net")
            (place / "away.db").rename(place / "main.db")
            held = home.desk.lock()
            with home.follower():
                held.release()
                assert wrong(place, 0o700, 0o600) == {}
                assert "socket read/main.sock" in modes(place)
            manager.sync()
            manager.rebuild()
            home.close()
    finally:
        os.umask(before)
    assert wrong(place, 0o700, 0o600) == {}


@others
def test_a_home_made_for_a_group_can_be_used_by_all_of_it_whatever_their_umask(common: Path) -> None:
    home = common / "home"
    os.chown(common, ADA.user, TEAM)
    common.chmod(0o770)
    made = ADA.lepton("init", "--home", home, "--group", str(TEAM), "--json", folder=common)
    assert made.returncode == 0, made.stderr
    assert f'"open_to": "group {TEAM}"' in made.stdout

    for n, member in enumerate((BOB, Member(61004, umask=0o077)), 1):
        assert member.python(ALL, home, str(n), folder=common) == f"{n}\n"
        assert wrong(home, 0o2770, 0o660) == {}
        assert {path.stat().st_gid for path in home.rglob("*")} == {TEAM}
    assert ADA.lepton("tag", "t", "net@1", "--home", home, folder=common).returncode == 0


@others
def test_where_umask_and_folder_say_so_a_home_is_the_groups_by_itself(common: Path) -> None:
    os.chown(common, ADA.user, TEAM)
    common.chmod(0o2770)
    ada, bob = Member(ADA.user, umask=0o002), Member(BOB.user, umask=0o002)

    assert "open to group" in ada.lepton("init", "--home", common / "home", folder=common).stdout
    assert bob.python(ALL, common / "home", "1", folder=common) == "1\n"
    assert wrong(common / "home", 0o2770, 0o660) == {}


@others
def test_one_member_asks_the_projector_of_another(common: Path) -> None:
    home = common / "home"
    os.chown(common, ADA.user, TEAM)
    common.chmod(0o2770)
    ADA.lepton("init", "--home", home, "--shared", folder=common)
    running = subprocess.Popen(
        [python(), "-c", SITE + "from lepton_ai.cli import main; main()", "projector", "--home", str(home)],
        user=ADA.user, group=ADA.user, extra_groups=[TEAM], cwd=common, env=os.environ | {"PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    try:
        until(lambda: (home / "read" / "main.sock").exists())
        told = BOB.lepton("sql", "select count(*) as n from events", "--json", "--home", home, folder=common)
        assert '"n": 1' in told.stdout, told.stderr
    finally:
        running.terminate()
        running.wait()


@others
def test_what_a_killed_member_left_of_the_views_is_made_anew_by_another(common: Path) -> None:
    home = common / "home"
    os.chown(common, ADA.user, TEAM)
    common.chmod(0o2770)
    ADA.lepton("init", "--home", home, "--shared", folder=common)
    assert ADA.lepton("sql", "select 1", "--home", home, folder=common).returncode == 0
    for path in (home / "read").glob("*.duckdb"):
        path.chmod(0o600)

    told = BOB.lepton("sql", "select 1", "--home", home, folder=common)

    assert told.returncode == 0, told.stderr


EACH = """
import json, shlex, sys
from click.testing import CliRunner
from lepton_ai.cli.app import lepton
for line in sys.argv[2:]:
    ended = CliRunner().invoke(lepton, [*shlex.split(line), "--home", sys.argv[1]])
    print(json.dumps([line, ended.exit_code, ended.stderr or repr(ended.exception)]))
"""
DENIED = (
    "log", "sql 'select 1'", "status", "branch trial net@1", "verify", "fsck", "sync", "rebuild", "relay", "projector",
    "train credit-scoring-model rows.csv --label a", "worker --once", "init", "init --shared", "snapshot copy.duckdb",
)  # fmt: skip


@others
@pytest.mark.parametrize("closed", ["home", "database", "folders below"])
def test_what_is_not_allowed_is_one_sentence_that_names_the_place(common: Path, closed: str) -> None:
    home = adas(common / "home", 1)
    if closed != "home":
        home.chmod(0o755)
    if closed == "folders below":
        (home / "main.db").chmod(0o644)
        (home / "main.id").chmod(0o644)
    (common / "rows.csv").write_text("a,b\n1,2\n0,1\n")
    lines = [line for line in DENIED if closed != "folders below" or line.split()[0] in ("fsck", "branch", "init")]

    told = STRANGER.python(EACH, home, *lines, folder=common).splitlines()

    for line, code, said in map(json.loads, told):
        if (line, closed) in (("init", "folders below"), ("sync", "database")):
            continue  # they only look
        assert code in (1, 3), (line, said)
        assert str(home) in said or "object" in said, (line, said)
        assert "fault of Lepton" not in said, (line, said)
        assert said.count("\n") == 1, (line, said)
    assert len(told) == len(lines)


READ = """
import sys
from lepton_ai import ModelManager, Refused, LeptonError
with ModelManager(sys.argv[1]) as manager:
    assert [entry.version for entry in manager.log(model="net").entries if entry.version] == [2, 1]
    assert manager.show("net@1").version == 1
    assert manager.show("net@2").message == "mine"
    assert manager.diff("net@1", "net@2")
    assert manager.load_arrays("net@2")["w"][0] == 2
    assert manager.load_tensors("net@1")["w"][0] == 1
    assert manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 2}]
    assert manager.find("metric.f1 > 0.4") == [2]
    assert manager.fsck() == []
    assert manager.jobs.recent() == []
    manager.snapshot(sys.argv[2] + "/copy.duckdb")
    print(manager.verify().size)
    import numpy as np
    for write in (
        lambda: manager.save_version({"w": np.ones(3)}, name="net"),
        lambda: manager.tag("t", "net@1"),
    ):
        try:
            write()
        except LeptonError as error:
            print(type(error).__name__, error)
"""


def frozen(home: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in [home, *home.rglob("*")]
    }


@others
@pytest.mark.parametrize("left", ["closed in good order", "with a log that was left behind", "with views"])
def test_a_ledger_that_may_only_be_read_can_be_read_and_is_not_touched(common: Path, left: str) -> None:
    home = common / "home"
    adas(home, 2)
    if left.startswith("with a log"):
        ADA.python(
            "import os, sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1])\n"
            "connection.execute(\"INSERT INTO seen VALUES ('a', 'b', 'c')\"); connection.commit(); os._exit(0)",
            home / "main.db", folder=common,
        )  # fmt: skip
        (home / "main.db-shm").unlink()
        assert (home / "main.db-wal").stat().st_size > 0
    if left == "with views":
        ADA.lepton("sql", "select 1", "--home", home, folder=common)
    for path in [*home.rglob("*"), home]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = frozen(home)
    with open_folder() as scratch:
        os.chown(scratch, STRANGER.user, STRANGER.user)

        told = STRANGER.python(READ, home, scratch, folder=scratch).splitlines()

    assert int(told[0]) > 2
    assert [line.split()[0] for line in told[1:]] == ["Refused", "Refused"]
    assert all(str(home) in line for line in told[1:])
    assert frozen(home) == before


@others
def test_a_read_only_mount_can_be_read(common: Path) -> None:
    adas(common / "home", 2)
    mounted = common / "mounted"
    mounted.mkdir()
    program = common / "read.py"
    program.write_text(SITE + READ)
    mount = f"mount --bind {common / 'home'} {mounted} && mount -o remount,bind,ro {mounted}"
    done = subprocess.run(
        ("unshare", "-m", "sh", "-c", f"{mount} && exec {python()} {program} {mounted} {common}"),
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONSAFEPATH": "1"}, cwd=common,
    )  # fmt: skip
    if "mount:" in done.stderr or "unshare" in done.stderr:
        pytest.skip("this machine lets nobody mount")

    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["Refused", "Unavailable"]


CHOSEN = """
import os, sys
from lepton_ai.errors import LeptonError
from lepton_ai.home import chosen
for line in sys.argv[1:]:
    place, _, env = line.partition(" ")
    os.chdir(f"{place}/project/deep")
    try:
        print(chosen(None, dict(each.split("=") for each in env.split()))[0] == type(chosen("/")[0])(place) / ".lepton")
    except LeptonError as error:
        print(str(error).count("LEPTON_SAFE_HOMES") == 0 and error)
"""
TRUST = (
    (BOB.user, BOB.user, 0o755, "", False),
    (BOB.user, BOB.user, 0o777, "", False),
    (BOB.user, TEAM, 0o2770, "", True),
    (BOB.user, TEAM, 0o2750, "", False),
    (BOB.user, 61999, 0o2775, "", False),
    (ADA.user, ADA.user, 0o700, "", True),
    (BOB.user, BOB.user, 0o755, "LEPTON_SAFE_HOMES=*", True),
    (BOB.user, BOB.user, 0o755, "LEPTON_SAFE_HOMES=/somewhere:{home}", True),
    (BOB.user, BOB.user, 0o755, "LEPTON_SAFE_HOMES=/somewhere", False),
    (BOB.user, BOB.user, 0o755, "LEPTON_HOME={home}", True),
)


@others
def test_a_home_found_upwards_is_trusted_as_git_trusts_repositories(common: Path) -> None:
    asked: list[str] = []
    for n, (user, group, mode, env, _) in enumerate(TRUST):
        home = common / str(n) / ".lepton"
        home.mkdir(parents=True)
        os.chown(home, user, group)
        home.chmod(mode)
        (common / str(n) / "project" / "deep").mkdir(parents=True)
        asked.append(f"{common / str(n)} {env.format(home=home)}")

    told = ADA.python(CHOSEN, *asked, folder=common).split()

    assert told == [str(trusted) for *_, trusted in TRUST]


@others
def test_a_stranger_who_listens_in_the_place_of_the_projector_is_not_asked(common: Path) -> None:
    listen = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
        "import os; os.chmod(sys.argv[1], 0o777); print('up', flush=True); sys.stdin.read()"
    )
    (common / "read").mkdir()
    (common / "read").chmod(0o777)
    path = common / "read" / "main.sock"
    process = subprocess.Popen(
        [python(), "-c", listen, str(path)], user=STRANGER.user, group=STRANGER.user, extra_groups=[],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"

    with pytest.raises(Refused, match="may not use this home"):
        connected(path, 5.0)
    process.communicate()


def test_a_link_in_the_place_of_the_socket_is_not_followed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "real.sock"))
        listener.listen()
        (tmp_path / "main.sock").symlink_to(tmp_path / "real.sock")

        with pytest.raises(Refused, match="is no socket"):
            connected(tmp_path / "main.sock", 5.0)


def test_a_home_that_everybody_may_read_is_told_of_and_closed_by_init(tmp_path: Path) -> None:
    place = tmp_path / "home"
    with ModelManager(place) as manager:
        manager.save_version({"w": np.ones(3)}, name="net")
    for path in [place, *place.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    cli = Cli(place)

    assert cli("status --json").json["home"] == {"folder": str(place), "open_to": "everybody"}
    assert "`lepton init --private` closes it" in cli("status").out
    assert cli("init --private --json").json["changed"] > 4

    assert cli("status --json").json["home"]["open_to"] == "its owner"
    assert wrong(place, 0o700, 0o600) == {}
    assert chosen(place) == (place, "named")
    shutil.rmtree(place)
