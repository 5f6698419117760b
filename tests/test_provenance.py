"""What a save records of the checkout it is made in, without running any program that the checkout names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lepton_ai.checkout import _opened
from lepton_ai.provenance import code, environment

from .asking import PATIENCE


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one commit and one changed file, in which the tests stand."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "-q")
    (folder / "train.py").write_text("print(1)\n")
    (folder / "data.bin").write_text("one\n")
    git("add", ".")
    commit()
    (folder / "train.py").write_text("print(2)\n")
    (folder / "data.bin").write_text("two\n")
    return folder


def git(*words: str, **env: str) -> str:
    done = subprocess.run(("git", *words), capture_output=True, text=True, check=True, env=os.environ | env)
    return done.stdout


def commit(*words: str) -> None:
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/dev/null")
    git(*named, "commit", "-qm", "one", *words)


def test_the_commit_and_what_differs_from_it_are_recorded(checkout: Path) -> None:
    found = code()

    assert found["commit"] == git("rev-parse", "HEAD").strip()
    assert found["dirty"] is True
    assert found["diff"].startswith("sha256:")
    git("checkout", "-q", ".")
    assert code() == {"commit": found["commit"], "dirty": False}
    (checkout / ".lepton").mkdir()
    (checkout / ".lepton" / "main.db").write_text("a home is nothing of the code")
    assert code()["dirty"] is False


def marker(checkout: Path) -> tuple[str, Path]:
    """A program that writes a file, as a configuration names it, and the file."""
    mark = checkout.parent / "ran"
    program = checkout.parent / "program"
    program.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat\n")
    program.chmod(0o755)
    return str(program), mark


HOSTILE = {
    "a file system monitor": {"core.fsmonitor": "PROGRAM"},
    "hooks": {"core.hooksPath": "HOOKS"},
    "a clean filter": {"filter.odd.clean": "PROGRAM", "filter.odd.required": "true"},
    "a filter's process": {"filter.odd.process": "PROGRAM"},
    "a filter of an odd name": {"filter.odd.x=y.clean": "PROGRAM"},
    "a text conversion": {"diff.odd.textconv": "PROGRAM"},
    "a diff of its own": {"diff.odd.command": "PROGRAM"},
    "a diff of everything": {"diff.external": "PROGRAM"},
    "a pager": {"core.pager": "PROGRAM", "pager.status": "true", "pager.diff": "true"},
    "a submodule summary": {"status.submoduleSummary": "true", "diff.submodule": "log"},
}


@pytest.mark.parametrize("config", HOSTILE.values(), ids=HOSTILE)
def test_no_program_that_the_repository_names_is_run(checkout: Path, config: dict[str, str]) -> None:
    program, mark = marker(checkout)
    hooks = checkout.parent / "hooks"
    hooks.mkdir()
    for folder in (hooks, checkout / ".git" / "hooks"):
        for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit", "reference-transaction"):
            (folder / hook).unlink(missing_ok=True)
            (folder / hook).symlink_to(program)
    (checkout / ".gitattributes").write_text("* filter=odd diff=odd\n*.py filter=odd.x=y diff=odd\n")
    lines = []
    for key, value in config.items():
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        shown = value.replace("PROGRAM", program).replace("HOOKS", str(hooks))
        lines += [f'[{section} "{name}"]' if name else f"[{section}]", f'\t{variable} = "{shown}"']
    with (checkout / ".git" / "config").open("a") as file:
        file.write("\n".join([*lines, ""]))

    found = code()

    assert not mark.exists()
    assert found["dirty"] is True or "cannot be left out" in found["unknown"]


def test_git_itself_would_run_them(checkout: Path) -> None:
    program, mark = marker(checkout)
    (checkout / ".gitattributes").write_text("* filter=odd\n")
    git("config", "filter.odd.clean", program)

    git("status", "--porcelain")

    assert mark.exists()


def test_what_a_partial_clone_lacks_is_not_fetched(checkout: Path) -> None:
    program, mark = marker(checkout)
    blob = git("rev-parse", "HEAD:data.bin").strip()
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(checkout.parent / "elsewhere"),
        "remote.origin.uploadpack": program,
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
    }.items():
        git("config", key, value)
    (checkout / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    found = code()

    assert not mark.exists()
    assert found["dirty"] is True


def test_a_submodules_own_configuration_is_not_followed(checkout: Path) -> None:
    program, mark = marker(checkout)
    inner = checkout / "inner"
    inner.mkdir()
    git("-C", str(inner), "init", "-q")
    (inner / "file").write_text("1\n")
    git("-C", str(inner), "add", ".")
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git("-C", str(inner), *named, "commit", "-qm", "one")
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "./inner", "inner")
    commit()
    git("-C", str(inner), "config", "core.fsmonitor", program)
    git("-C", str(inner), "config", "filter.odd.clean", program)
    (inner / ".gitattributes").write_text("* filter=odd\n")
    (inner / "file").write_text("2\n")

    code()

    assert not mark.exists()


def test_a_git_that_lies_in_the_checkout_is_not_run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, mark = marker(checkout)
    (checkout / "git").symlink_to(program)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.pathsep}{os.environ['PATH']}")

    assert code()["dirty"] is True
    assert not mark.exists()


def asked_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that notes what it is asked, in a file with a line a call."""
    real, notes, folder = shutil.which("git"), checkout.parent / "asked", checkout.parent / "bin"
    folder.mkdir()
    program = folder / "git"
    program.write_text(f'#!/bin/sh\necho "$@" >> {notes}\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr("lepton_ai.checkout.SETTLED", 0)
    return notes


def test_git_is_asked_no_more_while_nothing_changes(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = asked_git(checkout, monkeypatch)
    first = code()
    assert code() == first
    notes.unlink()

    assert [code(), code()] == [first, first]
    assert not notes.exists()

    (checkout / "train.py").write_text("print(3)\n")
    other = code()
    assert other["diff"] != first["diff"]
    git("checkout", "-q", ".")
    assert code() == {"commit": first["commit"], "dirty": False}
    git("config", "filter.odd.clean", marker(checkout)[0])
    (checkout / ".gitattributes").write_text("* filter=odd\n")
    (checkout / "train.py").write_text("print(3)\n")
    assert code()["dirty"] is True
    assert not marker(checkout)[1].exists()


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file": lambda checkout: (checkout / "train.py").write_text("print(3)\n"),
    "a file, dated back": lambda checkout: (
        (checkout / "train.py").write_text("print(3)\n"),
        os.utime(checkout / "train.py", (1, 1)),
    ),
    "a file in a folder": lambda checkout: (checkout / "inner" / "deep" / "part.py").write_text("2"),
    "a file's right to be run": lambda checkout: (checkout / "train.py").chmod(0o755),
    "a file removed": lambda checkout: (checkout / "train.py").unlink(),
    "a file that git knows, within what is ignored": lambda checkout: (checkout / "out" / "known.py").write_text("2"),
    "a new file": lambda checkout: (checkout / "new.py").write_text(""),
    "a new file in a folder": lambda checkout: (checkout / "inner" / "deep" / "new.py").write_text(""),
    "a new file in an empty folder": lambda checkout: (checkout / "empty" / "new.py").write_text(""),
    "a new file beside an ignored one": lambda checkout: (checkout / "inner" / "cache" / "new.py").write_text(""),
    "a file ignored no more": lambda checkout: (checkout / ".gitignore").write_text(""),
    "a file ignored no more, by a folder": lambda checkout: (checkout / "inner" / ".gitignore").write_text("a"),
    "a file ignored no more, here": lambda checkout: (checkout / ".git" / "info" / "exclude").write_text(""),
    "what the user ignores": lambda checkout: (checkout.parent / "ignored").write_text(""),
    "a setting": lambda checkout: git("config", "core.excludesFile", str(checkout.parent / "nothing")),
    "the index": lambda checkout: git("rm", "-q", "--cached", "train.py"),
    "a commit of nothing": lambda checkout: commit("--allow-empty"),
    "a commit set back": lambda checkout: git("reset", "-q", "--soft", "HEAD~1"),
    "a reference": lambda checkout: git("update-ref", "HEAD", "HEAD~1"),
    "another branch": lambda checkout: git("checkout", "-qb", "other", "HEAD~1"),
    "packed references": lambda checkout: (git("update-ref", "HEAD", "HEAD~1"), git("pack-refs", "--all")),
    "a repository in the place of a folder": lambda checkout: git("init", "-q", "empty"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_after_git_was_asked_is_seen(
    checkout: Path, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = asked_git(checkout, monkeypatch)
    git("checkout", "-q", ".")
    (checkout / "inner" / "deep").mkdir(parents=True)
    for name in ("inner/deep/part.py", "out/known.py", "inner/cache/some.pyc", "seldom.txt", "rare.txt", "odd.txt"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("1")
    (checkout / "empty").mkdir()
    (checkout / "inner" / "some.log").write_text("1")
    (checkout / "inner" / ".gitignore").write_text("*.log\n.gitignore\n")
    (checkout / ".gitignore").write_text("*.pyc\nout/\nodd.txt\n")
    (checkout / ".git" / "info" / "exclude").write_text("seldom.txt\n")
    (checkout.parent / "ignored").write_text("rare.txt\n")
    git("config", "core.excludesFile", str(checkout.parent / "ignored"))
    git("add", ".")
    git("add", "-f", "out/known.py")
    commit()
    clean = {"commit": git("rev-parse", "HEAD").strip(), "dirty": False}
    assert [code(), code()] == [clean, clean]
    notes.unlink()
    assert code() == clean
    assert not notes.exists()

    change(checkout)

    found = code()
    _opened.cache_clear()
    assert found == code()


@pytest.mark.parametrize("folder", ["sub", "sub/deep"])
def test_a_repository_made_between_here_and_the_one_before_is_the_one_recorded(
    checkout: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_git(checkout, monkeypatch)
    (checkout / "sub" / "deep").mkdir(parents=True)
    (checkout / "sub" / "deep" / "part.py").write_text("1")
    monkeypatch.chdir(checkout / folder)
    outer = [code(), code()][1]["commit"]
    git("init", "-q", str(checkout / "sub"))
    git("add", ".")
    commit("--author=B <b@example.org>")
    inner = {"commit": git("rev-parse", "HEAD").strip(), "dirty": False}
    assert inner["commit"] != outer

    assert [code(), code()] == [inner, inner]
    (checkout / "sub" / "deep" / "part.py").write_text("22")
    assert code()["dirty"] is True
    commit("-a")
    assert code() == inner | {"commit": git("rev-parse", "HEAD").strip()}
    shutil.rmtree(checkout / "sub" / ".git")
    assert code()["commit"] == outer


def test_a_repository_made_of_an_empty_git_folder_is_the_one_recorded(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_git(checkout, monkeypatch)
    (checkout / "sub" / ".git").mkdir(parents=True)
    monkeypatch.chdir(checkout / "sub")
    assert [code(), code()][1]["dirty"] is True
    git("init", "-q")
    (checkout / "sub" / "part.py").write_text("1")
    git("add", ".")
    commit()
    assert [code()["dirty"], code()["dirty"]] == [False, False]

    (checkout / "sub" / "part.py").write_text("22")

    assert code()["dirty"] is True


def test_a_commit_after_the_git_folder_was_moved_is_seen(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_git(checkout, monkeypatch)
    assert code() == code()
    git("init", "-q", "--separate-git-dir", str(checkout.parent / "elsewhere"))
    assert code() == code()

    commit("--allow-empty")

    assert code()["commit"] == git("rev-parse", "HEAD").strip()


@pytest.mark.parametrize("retargeted", [False, True])
@pytest.mark.parametrize("name", [".gitconfig", ".config/git/ignore"])
def test_what_a_link_in_the_users_configuration_leads_to_is_watched(
    checkout: Path, name: str, retargeted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = asked_git(checkout, monkeypatch)
    git("checkout", "-q", ".")
    home = checkout.parent / "home"
    (home / name).parent.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (home / "ignored").write_text("new.py\n")
    (home / "kept").write_text("[core]\nexcludesFile = ~/ignored\n" if name == ".gitconfig" else "new.py\n")
    (home / name).symlink_to(home / "link")
    (home / "link").symlink_to(home / "kept")
    (checkout / "new.py").write_text("")
    assert [code()["dirty"], code()["dirty"]] == [False, False]
    notes.unlink()
    assert (code()["dirty"], notes.exists()) == (False, False)

    if retargeted:
        (home / "link").unlink()
        (home / "link").symlink_to(home / "none")
    else:
        (home / "kept").write_text("# nothing\n")

    assert code()["dirty"] is True


def test_a_new_file_below_a_tracked_folder_that_became_a_repository_is_seen(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_git(checkout, monkeypatch)
    (checkout / "sub" / "deep").mkdir(parents=True)
    (checkout / "sub" / "deep" / "part.py").write_text("1")
    git("add", ".")
    commit()
    git("init", "-q", "sub")
    assert [code()["dirty"], code()["dirty"]] == [False, False]

    (checkout / "sub" / "deep" / "new.py").write_text("2")

    assert code()["dirty"] is True


@pytest.mark.parametrize("shown", ["no", "normal", "all"])
def test_a_new_file_makes_it_dirty_whatever_the_user_is_shown_of_them(checkout: Path, shown: str) -> None:
    git("checkout", "-q", ".")
    git("config", "status.showUntrackedFiles", shown)
    assert code()["dirty"] is False

    (checkout / "new.py").write_text("")

    assert code()["dirty"] is True


def test_a_checkout_of_many_files_is_asked_about_each_time(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = asked_git(checkout, monkeypatch)
    monkeypatch.setattr("lepton_ai.checkout.MOST_WATCHED", 3)
    first = code()
    assert code() == first
    notes.write_text("")

    assert code() == first
    assert len(notes.read_text().splitlines()) == 1


def test_where_there_is_no_checkout_no_git_is_started(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = asked_git(checkout, monkeypatch)
    monkeypatch.chdir(checkout.parent)

    assert code() == {}
    assert not notes.exists()


def test_the_metadata_of_packages_is_read_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    first = environment()
    first["packages"]["mine"] = "1"

    monkeypatch.setattr("importlib.metadata.Distribution.from_name", None)

    assert "mine" not in environment()["packages"]
    assert environment()["packages"]["numpy"]


def as_git(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in git's place, which knows the real one as $GIT."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nGIT={shutil.which('git')}\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("when", "does", "facts"),
    [
        ("*--porcelain*", "exit 1", {"dirty": None, "unknown": "git status failed (exit code 1)"}),
        ("*--porcelain*", "sleep 60", {"dirty": None, "unknown": "git status took longer than 3 s"}),
        ("*--no-textconv*", "exit 9", {"dirty": True, "unknown": "git diff failed (exit code 9)"}),
        ("*--show-origin*", "exit 3", {"dirty": None, "unknown": "git config failed (exit code 3)"}),
        ("*", "exit 128", {"unknown": "git rev-parse failed (exit code 128)"}),
        ("*", "kill -9 $$", {"unknown": "git rev-parse failed (exit code -9)"}),
    ],
)
def test_what_git_does_not_tell_is_unknown_and_not_clean(
    checkout: Path, when: str, does: str, facts: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = git("rev-parse", "HEAD").strip()
    monkeypatch.setattr("lepton_ai.git.PATIENCE", 3.0 if "sleep" in does else PATIENCE)
    as_git(checkout.parent, f'case "$*" in {when}) {does};; esac; exec $GIT "$@"', monkeypatch)

    assert code() == ({"commit": head} if "dirty" in facts else {}) | facts


def test_a_checkout_that_git_does_not_trust_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    as_git(checkout.parent, 'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec $GIT "$@"', monkeypatch)

    assert code() == {"unknown": "git does not trust the checkout, which somebody else owns (dubious ownership)"}


def test_a_checkout_without_a_commit_or_without_git_is_unknown(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    monkeypatch.chdir(fresh)
    git("init", "-q")
    assert code() == {"unknown": "the checkout has no commit yet"}
    (fresh / ".git" / "HEAD").unlink()
    assert code() == {"unknown": "git cannot read the checkout"}
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code() == {"unknown": "git is not installed"}
    monkeypatch.chdir(tmp_path)
    assert code() == {}
