"""A broker that authorises: each role does its work with the rights that are generated for it, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Refused, Unavailable
from lepton_ai.events.kafka.acls import commands
from lepton_ai.events.kafka.clients import Outgoing, Reader, TopicRecord, Writer
from lepton_ai.events.kafka.cluster import Cluster, TopicName
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.tls import Certificate
from lepton_ai.events.kafka.topics import open_topics, partitions

from ..asking import PATIENCE, until
from ..cli_home import Cli
from ..conftest import running
from .secured_broker import ROLES, SecuredKafka, openssl, password

MAIN: Final = "from lepton_ai.cli import main; main()"
TOPICS: Final[tuple[TopicName, ...]] = ("events", "commands", "results", "inbox", "rejected")
WRITES: Final = {
    *product(["relay"], ["events", "commands", "rejected"]),
    ("intake", "results"),
    ("worker", "results"),
    ("service", "inbox"),
}
READS: Final = {
    *product(["relay"], ["events", "commands", "rejected"]),
    *product(["intake"], ["inbox", "results"]),
    ("projector", "events"),
    *product(["worker"], ["events", "commands"]),
    *product(["service"], ["events", "rejected"]),
}


@pytest.fixture(scope="module")
def secured() -> Iterator[SecuredKafka]:
    """A running Kafka that authorises. Where none can run the test is skipped; in CI that is a failure."""
    yield from running(SecuredKafka)


@pytest.fixture(scope="module")
def broker(secured: SecuredKafka) -> Iterator[SecuredKafka]:
    """The broker with the generated rights given, its certificate trusted."""
    secured.allow(commands(Cluster.parsed(secured.servers)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", secured.certificate)
        patch.setattr("lepton_ai.events.kafka.sync.PATIENCE", 60.0)
        yield secured


@pytest.fixture(scope="module")
def home(broker: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger the relay has told on the broker, which had no topic before."""
    home = tmp_path_factory.mktemp("secured") / "home"
    with ModelManager(home, actor="Ada") as manager:
        manager.save_version({"w": np.ones((4, 4))}, name="credit")
    told = acting(home, broker, "relay")("relay --once --json")
    assert told.code == 0, told.err
    return home


def acting(home: Path, broker: SecuredKafka, role: str) -> Cli:
    """The command line as a role's user."""
    return Cli(home, LEPTON_KAFKA=broker.url(role))


@contextmanager
def process(home: Path, broker: SecuredKafka, role: str) -> Generator[subprocess.Popen[str]]:
    """The process of a role, under its user, until SIGTERM."""
    running = subprocess.Popen(
        [sys.executable, "-c", MAIN, "--home", str(home), role, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_KAFKA": broker.url(role)},
        text=True,
    )
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, out + err


async def last(cluster: Cluster, topic: TopicName) -> TopicRecord | None:
    """The last record of a topic."""
    async with asyncio.timeout(PATIENCE), Reader(cluster, topic) as reader:
        return await reader.last()


async def heard(cluster: Cluster, topic: TopicName) -> list[TopicRecord]:
    """What a topic says first, now or later."""
    async with asyncio.timeout(PATIENCE), Reader(cluster, topic) as reader:
        reader.seek(0)
        while not (messages := await reader.read(1, 0.1)):
            pass
        return messages


async def said(cluster: Cluster, topic: TopicName, *values: bytes) -> None:
    """Say something on a topic."""
    async with asyncio.timeout(PATIENCE), Writer(cluster) as writer:
        await writer.send(topic, [Outgoing(value) for value in values])


def test_the_relay_has_made_every_topic_and_its_events_are_followed(broker: SecuredKafka, home: Path) -> None:
    with ModelManager(home) as manager:
        size = manager.verify().size
    asyncio.run(open_topics(Cluster.parsed(broker.url("relay"))))
    with KafkaLog(Cluster.parsed(broker.url("projector"))) as log:
        rows = log.read(0, size)

    assert [row.seq for row in rows] == list(range(1, size + 1))


def test_a_projector_keeps_the_views_up_and_its_user_asks_for_the_status(broker: SecuredKafka, home: Path) -> None:
    cli = acting(home, broker, "projector")
    with process(home, broker, "projector") as projector:
        until(lambda: (home / "read" / "main.sock").exists() or projector.poll() is not None)
        asked = cli(["sql", "SELECT max(version) AS last FROM versions", "--format", "json"])

    assert json.loads(asked.out) == [{"last": 1}]
    assert cli("status --json").json["kafka"]["lag"] == 0


def test_a_service_tells_the_inbox_and_learns_what_was_refused(broker: SecuredKafka, home: Path) -> None:
    service = Cluster.parsed(broker.url("service"))
    event = {"specversion": "1.0", "source": "/risk", "type": "lepton.metrics.recorded.v1", "subject": "model/credit"}
    good = event | {"id": "good", "data": {"version": 1, "metrics": {"ks": 0.4}}}
    bad = event | {"id": "bad", "data": {"version": 9, "metrics": {"ks": 0.4}}}
    cli = acting(home, broker, "relay")

    asyncio.run(said(service, "inbox", json.dumps(good).encode(), json.dumps(bad).encode()))
    with process(home, broker, "intake"):
        until(lambda: cli("rejected --json").json["rejected"] != [])
    assert cli("relay --once").code == 0

    refused, told = asyncio.run(last(service, "rejected")), asyncio.run(last(service, "events"))
    assert refused is not None
    assert b"no version 9" in dict(refused.headers)["lepton-reason"]
    assert told is not None
    assert json.loads(told.value)["inboxid"] == "good"


@pytest.mark.usefixtures("home")
def test_a_worker_says_results_to_the_intake_and_hears_commands(broker: SecuredKafka) -> None:
    worker, intake = Cluster.parsed(broker.url("worker")), Cluster.parsed(broker.url("intake"))
    asyncio.run(said(worker, "results", b"ready"))
    asyncio.run(said(Cluster.parsed(broker.url("relay")), "commands", b"begin"))

    heard, ordered = asyncio.run(last(intake, "results")), asyncio.run(last(worker, "commands"))
    assert (heard and heard.value, ordered and ordered.value) == (b"ready", b"begin")
    assert asyncio.run(last(worker, "events")) is not None
    assert asyncio.run(partitions(intake, "results")) == 1


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("role", "topic"), sorted({*product(ROLES, TOPICS)} - WRITES))
async def test_nobody_writes_what_another_says(broker: SecuredKafka, role: str, topic: TopicName) -> None:
    with pytest.raises(Refused, match=f"does not let user 'lepton-{role}' do that") as refused:
        await said(Cluster.parsed(broker.url(role)), topic, b"{}")

    assert password(role) not in str(refused.value)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("role", "topic"), sorted({*product(ROLES, TOPICS)} - READS))
async def test_nobody_reads_what_is_not_for_them(broker: SecuredKafka, role: str, topic: TopicName) -> None:
    with pytest.raises(Refused, match=r"does not let user"):
        await heard(Cluster.parsed(broker.url(role)), topic)


@pytest.mark.parametrize("command", ["relay --once", "projector", "intake", "status"])
@pytest.mark.parametrize(
    ("user", "trusted", "why"),
    [
        ("lepton-nobody:secret", True, "does not know user 'lepton-nobody' by that password"),
        ("lepton-relay:secret", True, "does not know user 'lepton-relay' by that password"),
        ("lepton-relay:secret", False, "shows a certificate that is not trusted"),
    ],
    ids=["unknown user", "wrong password", "unknown authority"],
)
def test_who_cannot_get_in_is_told_so_at_once(
    broker: SecuredKafka, home: Path, tmp_path: Path, command: str, user: str, trusted: bool, why: str
) -> None:
    nobody = tmp_path / "nobody.pem"
    nobody.touch()
    cli = Cli(home, LEPTON_KAFKA=f"kafka+sasl://{user}@{broker.servers}")

    told = cli(command, SSL_CERT_FILE=broker.certificate if trusted else str(nobody))

    assert told.code == 1
    assert why in (told.out if command == "status" else told.err.splitlines()[-1])
    assert "secret" not in told.out + told.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("command", "user"), [("relay --once", "intake"), ("intake", "projector")])
def test_a_process_under_anothers_user_ends_in_one_sentence(
    broker: SecuredKafka, home: Path, command: str, user: str
) -> None:
    told = acting(home, broker, user)(command)

    assert told.code == 1
    assert f"does not let user 'lepton-{user}' do that" in told.err.splitlines()[-1]
    assert password(user) not in told.err


async def test_a_plain_client_finds_nobody_on_a_port_of_tls(broker: SecuredKafka) -> None:
    async with asyncio.timeout(PATIENCE):
        for port in (broker.port, broker.tls_port):
            with pytest.raises(Unavailable, match="does not answer"):
                await open_topics(Cluster.parsed(f"127.0.0.1:{port}"))


async def test_a_user_on_the_port_without_users_is_refused(broker: SecuredKafka) -> None:
    with pytest.raises(Refused, match="takes no user by SCRAM-SHA-512 on that port"):
        await open_topics(Cluster.parsed(broker.url("relay").replace(str(broker.port), str(broker.tls_port))))


async def test_nobody_on_the_port_of_users_finds_no_answer(broker: SecuredKafka) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Unavailable, match="does not answer"):
            await open_topics(Cluster.parsed(f"kafka+ssl://{broker.servers}"))


@pytest.mark.usefixtures("home")
async def test_over_tls_without_a_user_nobody_in_particular_needs_rights(broker: SecuredKafka) -> None:
    anybody = Cluster.parsed(f"kafka+ssl://127.0.0.1:{broker.tls_port}")
    with pytest.raises(Refused, match="does not let a client without a name do that"):
        await said(anybody, "events", b"{}")

    follows = [right for right in commands(anybody) if "lepton-projector" in right]
    await asyncio.to_thread(broker.allow, [right.replace("lepton-projector", "ANONYMOUS") for right in follows])

    async with asyncio.timeout(PATIENCE):
        while True:  # the broker heeds it a little later
            with suppress(Refused):
                assert await last(anybody, "events") is not None
                break
    with pytest.raises(Refused, match="does not let a client without a name do that"):
        await said(anybody, "events", b"{}")


class Shown:
    """The settings by which certificates are shown to the port that asks for one."""

    def __init__(self, broker: SecuredKafka, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        self.url = f"kafka+ssl://127.0.0.1:{broker.mutual_port}"
        self.files = broker.certified("lepton-projector", folder)

    def by(self, file: Path | None = None, key: Path | None = None, password: str | None = None) -> Cluster:
        """The topics, as who shows a certificate."""
        return Cluster.parsed(self.url, certificate=Certificate.named(file, key, password))


@pytest.fixture(scope="module")
def shown(broker: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A certificate of the projector's, vouched for by whom the broker trusts."""
    return Shown(broker, tmp_path_factory.mktemp("certificates"))


@pytest.mark.usefixtures("home")
async def test_who_shows_a_certificate_has_the_rights_of_the_user_that_it_names(shown: Shown) -> None:
    projector = shown.by(*shown.files)

    assert await last(projector, "events") is not None
    with pytest.raises(
        Refused, match=r"does not let who shows the certificate .*lepton-projector\.certificate\.pem do"
    ):
        await said(projector, "events", b"{}")


@pytest.mark.usefixtures("home")
async def test_certificate_and_key_may_share_a_file_and_the_key_may_have_a_password(shown: Shown) -> None:
    file, key = shown.broker.certified("lepton-relay", shown.folder, key_password="open/@ sesame")
    both = shown.folder / "both.pem"
    both.write_text(file.read_text() + key.read_text())

    for cluster in (shown.by(file, key, "open/@ sesame"), shown.by(both, None, "open/@ sesame")):
        await open_topics(cluster)
        assert "sesame" not in repr(cluster)


def test_a_process_shows_the_certificate_that_its_settings_name(shown: Shown, home: Path) -> None:
    file, key = shown.broker.certified("lepton-relay", shown.folder, key_password="sesame")
    cli = Cli(home, LEPTON_KAFKA=shown.url, LEPTON_KAFKA_CERTIFICATE=str(file), LEPTON_KAFKA_KEY=str(key))

    relayed, wrong = cli("relay --once --json", LEPTON_KAFKA_KEY_PASSWORD="sesame"), cli("relay --once")

    assert relayed.code == 0, relayed.err
    assert wrong.code == 1
    assert wrong.err.splitlines()[-1].endswith("is encrypted; LEPTON_KAFKA_KEY_PASSWORD is its password")


@pytest.mark.parametrize("command", ["relay --once", "projector", "intake", "status"])
@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_without_a_certificate_that_is_trusted_nobody_gets_in(shown: Shown, home: Path, command: str, who: str) -> None:
    cli, settings = Cli(home, LEPTON_KAFKA=shown.url), dict[str, str]()
    if who == "a stranger":
        settings["LEPTON_KAFKA_CERTIFICATE"] = str(stranger(shown.folder))

    told = cli(command, **settings)

    assert told.code == 1
    why = "does not trust the certificate" if settings else "lets nobody in without a certificate"
    reason = told.out if command == "status" else told.err.splitlines()[-1]
    assert why in reason
    assert "LEPTON_KAFKA_CERTIFICATE" in reason


def stranger(folder: Path) -> Path:
    """A certificate, with its key, that nobody vouches for."""
    file = folder / "stranger.pem"
    if not file.exists():
        made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(file), "-out", f"{file}.certificate")
        openssl("req", *made, "-subj", "/CN=lepton-relay")
        file.write_text(file.read_text() + Path(f"{file}.certificate").read_text())
    return file


@pytest.mark.parametrize("how", ["missing", "missing key", "no certificate", "other key", "password", "no password"])
async def test_a_certificate_that_cannot_be_shown_is_named_in_one_sentence(shown: Shown, how: str) -> None:
    file, _ = shown.files
    _, locked = shown.broker.certified("lepton-worker", shown.folder, key_password="sesame")
    (shown.folder / "none.pem").write_text("a key")
    files, why = {
        "missing": ((shown.folder / "gone.pem",), r"gone\.pem cannot be read \(No such file"),
        "missing key": ((file, shown.folder / "gone.pem"), r"gone\.pem cannot be read .*look at LEPTON_KAFKA_KEY$"),
        "no certificate": ((shown.folder / "none.pem",), "hold no certificate with its key in PEM"),
        "other key": ((file, stranger(shown.folder)), "does not fit the certificate"),
        "password": ((file, locked, "tongue"), "does not open with that password; look at LEPTON_KAFKA_KEY_PASSWORD"),
        "no password": ((file, locked), "is encrypted; LEPTON_KAFKA_KEY_PASSWORD is its password"),
    }[how]
    with pytest.raises(Refused, match=why) as refused:
        await open_topics(shown.by(*files))

    assert "tongue" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_without_a_certificate_and_a_certificate_without_tls_are_refused(shown: Shown, home: Path) -> None:
    file, key = map(str, shown.files)
    cli = Cli(home, LEPTON_KAFKA=shown.url)

    for told, why in (
        (cli("status", LEPTON_KAFKA_KEY=key), "LEPTON_KAFKA_KEY is set without LEPTON_KAFKA_CERTIFICATE"),
        (cli("status", LEPTON_KAFKA_KEY_PASSWORD="sesame"), "LEPTON_KAFKA_KEY_PASSWORD is set without"),
        (cli("status", LEPTON_KAFKA="localhost:9092", LEPTON_KAFKA_CERTIFICATE=file), "is shown over TLS only"),
    ):
        assert told.code == 1
        assert why in told.out
        assert "sesame" not in told.out + told.err
