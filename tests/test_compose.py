"""docker-compose.yml and the Dockerfile, held against the settings the code knows and what the tests run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from lepton_ai import ModelManager
from lepton_ai.cli.app import SECTIONS
from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.sql.postgresql import PostgreSQL

from .broker import PROPERTIES
from .stack import PROCESSES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]


def filled(text: str) -> str:
    """What compose makes of a value: every secret is "secret"."""
    return re.sub(r"\$\{?[A-Z0-9_]+(:\?[^}]*\})?", "secret", text)


def filled_default(text: str) -> str:
    """What compose makes of a value that has a default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_the_compose_file_runs_what_the_code_knows() -> None:
    read = {
        name
        for file in ("settings.py", "home.py", "cli/work/serving.py")
        for name in re.findall(r"LEPTON_[A-Z_]+", (ROOT / file).read_text())
    }
    commands = {name for _, names in SECTIONS.values() for name in names}
    ours = {name: service for name, service in SERVICES.items() if "build" in service and "entrypoint" not in service}

    assert set(ours) == {"relay", "projector", "intake", "server", "worker", "gpu-worker"}
    for name, service in ours.items():
        assert service["command"][0] == {"server": "serve"}.get(name, name.removeprefix("gpu-"))
        assert service["command"][0] in commands
        assert {key for key in service["environment"] if key.startswith("LEPTON_")} <= read
    assert set(re.findall(r"export (LEPTON_[A-Z_]+)", COMPOSE)) <= read | {"LEPTON_TOKEN"}


def test_the_compose_files_parts_are_reached_by_the_settings_it_gives() -> None:
    settings = {key: filled(value) for key, value in SERVICES["relay"]["environment"].items()}
    address = PostgreSQL(settings["LEPTON_DATABASE"], "main", wait=1).address
    postgres = SERVICES["postgres"]["environment"]
    assert (address["user"], address["dbname"]) == (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"])
    assert Cluster.parsed(settings["LEPTON_KAFKA"]).servers == ("kafka:9092",)
    desk = dict(re.findall(r"export (LEPTON_\w+)=(\S+)", COMPOSE))
    host, _, port = desk["LEPTON_HOME"].removeprefix("http://").partition(":")
    assert SERVICES["server"]["ports"][0] == f"{host}:{port}-8409:8400"
    assert host in filled_default(SERVICES["server"]["environment"]["LEPTON_SERVE_HOSTS"]).split()
    (server,) = Cluster.parsed(desk["LEPTON_KAFKA"]).servers
    assert f"DESK://{server}" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    told = PostgreSQL(filled(desk["LEPTON_DATABASE"]), "main", wait=1).address
    assert SERVICES["postgres"]["ports"] == [f"{told['host']}:{told['port']}:5432"]


def test_a_composed_worker_knows_no_database_and_a_gpu_is_asked_for_by_its_profile() -> None:
    for name in ("worker", "gpu-worker"):
        settings = SERVICES[name]["environment"]
        assert {key for key in settings if key.startswith("LEPTON_")} == {"LEPTON_KAFKA", "LEPTON_OBJECTS"}
        assert settings.items() <= SERVICES["intake"]["environment"].items()
        assert "volumes" not in SERVICES[name]
    assert SERVICES["gpu-worker"]["profiles"] == ["gpu"]
    (device,) = SERVICES["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert "profiles" not in SERVICES["worker"]


def test_what_is_composed_is_what_the_stack_runs() -> None:
    composed = (each for each in SERVICES.values() if "build" in each and "entrypoint" not in each)
    ours = {service["command"][0] for service in composed}

    assert ours == set(PROCESSES)


def test_the_compose_file_runs_the_broker_that_the_tests_run() -> None:
    pom = (ROOT / "tests" / "kafka" / "pom.xml").read_text()
    version = re.search(r"kafka_2.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert version is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version[1]}"
    tested = dict(line.split("=", 1) for line in PROPERTIES.split() if "=" in line)
    composed = {
        key.removeprefix("KAFKA_").lower().replace("_", "."): value
        for key, value in SERVICES["kafka"]["environment"].items()
    }
    for name in ("process.roles", "auto.create.topics.enable", "offsets.topic.replication.factor"):
        assert str(composed[name]) == tested[name]


def test_every_part_of_the_compose_file_is_watched_and_keeps_its_data() -> None:
    for name in ("kafka", "postgres", "s3", "projector", "server"):
        assert "healthcheck" in SERVICES[name], name
        assert SERVICES[name]["volumes"], name
    assert not re.search(r"PASSWORD: (?!\$\{\w+:\?)\S", COMPOSE), "secrets come from the environment"


def test_the_dockerfile_builds_what_the_compose_file_names() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    extras = set(PROJECT["project"]["optional-dependencies"])

    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} <= stages
    assert all(set(found.split(",")) <= extras for found in re.findall(r"'\.\[([\w,-]+)\]'", text))


def test_the_server_waits_for_its_first_token_which_is_made_once_and_its_users_alone_to_read(tmp_path: Path) -> None:
    assert SERVICES["server"]["depends_on"]["first-token"]["condition"] == "service_completed_successfully"
    assert SERVICES["first-token"]["restart"] == "no"
    (tmp_path / "ledger").mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "LEPTON_HOME": str(tmp_path / "ledger"), "PYTHONSAFEPATH": "1"}
    step = [*SERVICES["first-token"]["entrypoint"], *SERVICES["first-token"]["command"]]
    subprocess.run(step, cwd=tmp_path, env=environment, check=True)
    first = tmp_path / "ledger" / "first-token"
    secret = first.read_text()
    subprocess.run(step, cwd=tmp_path, env=environment, check=True)

    assert first.read_text() == secret
    assert first.stat().st_mode & 0o777 == 0o600
    with ModelManager(tmp_path / "ledger") as manager:
        (holder,) = manager.tokens()
        assert manager.holder(secret.strip()).token == holder.token
    assert sorted(each.name for each in first.parent.iterdir() if "token" in each.name) == ["first-token"]
    assert SERVICES["server"]["environment"].items() >= SERVICES["relay"]["environment"].items()
