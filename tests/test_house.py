"""The house's rules that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml

from .asking import PATIENCE

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = (
    "building", "cli", "datasets", "demo", "domain", "evaluation", "events", "evidence", "integrations",
    "jobs", "ledger", "models", "projections", "results", "remote", "tensors", "versions", "web", "workers",
)  # fmt: skip


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ("git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.decode().split("\n") if name and (ROOT / name).is_file()]


def test_the_packages_listed_are_the_folders_that_hold_code() -> None:
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}

    named = {"lepton_ai"} | {"lepton_ai." + ".".join(folder.relative_to(ROOT).parts) for folder in folders}

    assert set(PROJECT["tool"]["setuptools"]["packages"]) == named


def test_every_python_file_at_the_root_is_part_of_the_package() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {
        "__init__.py", "addresses.py", "checkout.py", "desk_wiring.py",
        "errors.py", "escapes.py", "git.py", "home.py", "isolation.py",
        "manager.py", "media.py", "optuna.py", "parts.py", "permissions.py", "plain.py", "provenance.py", "retries.py",
        "sent_errors.py", "settings.py", "supervised.py", "tracing.py", "wiring.py",
    }  # fmt: skip


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py")
        if not re.match(r'(#!.*\n)?r?"""[\w`].*[.:,!?]', path.read_text())
    ]

    assert silent == []


def test_the_core_can_be_read_in_an_afternoon() -> None:
    files = [path for path in tracked("*.py") if path.parent == ROOT or path.relative_to(ROOT).parts[0] in ROOMS]

    longest = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}

    assert {name: lines for name, lines in longest.items() if lines > 500 and name != "manager.py"} == {}


def test_a_room_can_be_read_in_an_hour() -> None:
    """The facts, the domain and the bytes are the core, which is larger."""
    rooms = {init.parent for room in ROOMS for init in (ROOT / room).rglob("__init__.py")}

    lines = {
        str(room.relative_to(ROOT)): sum(len(path.read_text().splitlines()) for path in room.glob("*.py"))
        for room in rooms
        if room.relative_to(ROOT).parts[0] not in ("events", "domain", "tensors")
    }

    assert {name: count for name, count in lines.items() if count > 2500} == {}


def test_no_class_has_the_name_of_another() -> None:
    files = [path for path in tracked("*.py") if path.parent == ROOT or path.relative_to(ROOT).parts[0] in ROOMS]

    names = Counter(name for path in files for name in re.findall(r"^class (\w+)", path.read_text(), re.M))

    assert {name for name, count in names.items() if count > 1} == set()


def test_every_property_is_tried_on_more_examples_by_make_fuzz() -> None:
    """A number of its own would be the same in every profile."""
    tests = [path for path in tracked("tests/*.py") if path.name != "conftest.py"]

    assert [path.name for path in tests if re.search(r"max_examples=\d", path.read_text())] == []


def test_no_name_that_a_digest_may_spell_is_looked_for_in_vain() -> None:
    """`"ada" not in text` fails by chance where the text holds hexadecimal digits: one digest in 70 has it."""
    name = r"""b?["'](?=[0-9]*[a-f])[0-9a-f]{1,6}["']"""
    absent = re.compile(rf"assert (.*{name}(\.encode\(\))? not in |not any\(.*{name} in ).*")

    assert [found[0] for path in tracked("tests/*.py") for found in absent.finditer(path.read_text())] == []


def test_what_is_awaited_has_as_long_as_only_what_hangs_takes() -> None:
    waits = re.compile(r"\buntil\(.*, (\d+)\)$", re.MULTILINE)

    short = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in tracked("tests/*.py")
        for found in waits.finditer(path.read_text())
        if int(found[1]) < PATIENCE
    ]
    assert short == []


def test_importing_lepton_opens_no_heavy_room() -> None:
    code = (
        "import sys, lepton_ai;"
        "heavy = {'torch', 'sqlalchemy', 'duckdb', 'pydantic', 'alembic', 'numpy', 'pyarrow', 'sklearn', 'rich'};"
        "print(*(heavy & set(sys.modules)))"
    )

    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_every_public_name_is_there_and_no_other() -> None:
    import lepton_ai

    assert sorted(lepton_ai.__all__) == sorted(dir(lepton_ai))
    assert all(getattr(lepton_ai, name) is not None for name in lepton_ai.__all__)
    with pytest.raises(AttributeError):
        lepton_ai.nothing  # noqa: B018


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    registries = ("python" + "hosted", "py" + "pi.org", "maven" + ".org", "npm" + "js.org", "deb" + "ian.org")
    hosts = re.compile("|".join(map(re.escape, registries)))
    texts = [path for path in tracked() if path.suffix in {".py", ".md", ".toml", ".txt", ".yml", ".ipynb", ".sql"}]

    assert [str(path) for path in texts if hosts.search(path.read_text())] == []


def test_the_conda_environment_installs_this_project_with_its_constraints() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())

    pip = environment["dependencies"][-1]["pip"]

    assert "-c constraints.txt" in pip
    extras = re.fullmatch(r"-e \.\[(.*)\]", pip[-1])
    assert extras is not None
    assert set(extras[1].split(",")) <= set(PROJECT["project"]["optional-dependencies"])
    assert any(each.startswith("python >=3.11") for each in environment["dependencies"] if isinstance(each, str))


def test_every_dependency_is_bounded_and_pinned() -> None:
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}

    for requirement in PROJECT["project"]["dependencies"]:
        name = re.match(r"[\w-]+", requirement)
        assert name is not None
        assert "<" in requirement or "==" in requirement, f"{requirement} has no upper bound"
        assert name[0].lower() in pinned, f"{requirement} is not pinned"
