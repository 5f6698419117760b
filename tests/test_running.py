"""A ledger beside Kafka: the log read from either, restored from the topic, and the commands that do it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lepton_ai import ModelManager
from lepton_ai.errors import Refused, Unavailable
from lepton_ai.events.actor import Actor
from lepton_ai.events.inbox import Letter
from lepton_ai.events.kafka.clients import Reader, TopicRecord
from lepton_ai.events.kafka.cluster import Cluster, TopicName
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.relay import Relay
from lepton_ai.events.log import EventLog
from lepton_ai.events.sql.actors import Actors
from lepton_ai.jobs.intake.inbox import Intake
from lepton_ai.ledger import Ledger, Request

from .asking import PATIENCE, commit, note, until
from .broker import Kafka
from .cli_home import Cli
from .events.relaying import relaying
from .servers import free_port

SEVERAL = 1500
MAIN = "from lepton_ai.cli import main; main()"


async def relayed(ledger: Ledger, cluster: Cluster) -> None:
    """Relay all that the log holds."""
    await Relay(ledger.store, cluster, until=ledger.store.end()).run(asyncio.Event())


@contextmanager
def opened(kind: str, ledger: Ledger, cluster: Cluster) -> Generator[EventLog]:
    """The log as the event table or as the topic tells it."""
    if kind == "sql":
        yield ledger.store
        return
    asyncio.run(relayed(ledger, cluster))
    with KafkaLog(cluster) as log:
        yield log


@pytest.fixture(params=["sql", "kafka"])
def log(request: pytest.FixtureRequest, ledger: Ledger, actor: Actor) -> Generator[EventLog]:
    """Both ways to read a ledger of some thousand events."""
    ledger.admit(commit(1), actor)
    ledger.admit_all(Request(note(n), actor) for n in range(SEVERAL))
    cluster = request.getfixturevalue("cluster") if request.param == "kafka" else None
    with opened(request.param, ledger, cluster) as log:
        yield log


class TestLog:
    """What every log promises its readers."""

    def test_it_knows_its_ledger_and_its_end(self, log: EventLog, ledger: Ledger) -> None:
        assert log.ledger_id == ledger.store.ledger_id
        assert log.end() == SEVERAL + 2

    def test_it_gives_every_row_in_order_from_anywhere(self, log: EventLog, ledger: Ledger) -> None:
        for after in (0, 1, 700, SEVERAL, 3):
            rows = log.read(after, 100)
            assert list(rows) == list(ledger.store.read(after, 100))

    def test_it_goes_on_where_it_was_read_to(self, log: EventLog) -> None:
        read: list[int] = []
        while rows := log.read(len(read), 400):
            read += [row.seq for row in rows]
        assert read == list(range(1, SEVERAL + 3))

    def test_behind_its_end_there_is_nothing(self, log: EventLog) -> None:
        assert list(log.read(SEVERAL + 2, 10)) == []


@pytest.fixture
def beside_kafka(kafka: Kafka, cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in a home beside Kafka, with three versions of a model."""
    monkeypatch.setenv("LEPTON_KAFKA", kafka.servers)
    monkeypatch.setenv("LEPTON_KAFKA_PREFIX", cluster.prefix)
    with ModelManager(home, actor="Ada") as manager:
        for n in range(3):
            manager.save_version({"w": np.full((40, 40), n, dtype=np.float32)}, name="credit", message=f"no. {n}")
    return Cli(home)


def test_a_ledger_is_restored_from_kafka_whole(beside_kafka: Cli, home: Path) -> None:
    cli = beside_kafka
    before = cli("verify --json").json
    assert cli("relay --once --json").json == {"relayed": before["size"]}
    assert cli("status --json").json["kafka"] == {"events": before["size"], "lag": 0, "lost_since": None}
    answered = cli("log --json").json
    for path in home.glob("main.db*"):
        path.unlink()

    told = cli("restore --from kafka --json")

    assert (told.code, told.err) == (0, "")
    assert told.json == {"before": 0, "after": before["size"]}
    assert cli("verify --json").json == before | {"forgotten": 2}  # names were never on Kafka
    assert cli("fsck --json").json == {"healed": [], "damaged": [], "unprojected": 0}
    with ModelManager(home) as manager:
        assert manager.load_arrays(2)["w"][0, 0] == 1
        entries = [(entry.version, entry.message) for entry in manager.log("credit").entries]
    assert entries == [(3, "[forgotten]"), (2, "[forgotten]"), (1, "[forgotten]")]
    assert [each["version"] for each in answered["entries"]] == [3, 2, 1]
    assert cli("relay --once --json").json == {"relayed": before["size"]}


def test_an_old_backup_behind_kafka_is_recognised_and_brought_up(beside_kafka: Cli, home: Path) -> None:
    cli = beside_kafka
    old = (home / "main.db").read_bytes()
    with ModelManager(home, actor="Ada") as manager:
        manager.save_version({"w": np.ones((4, 4))}, name="credit")
    whole = cli("verify --json").json
    assert cli("relay --once").code == 0
    for path in home.glob("main.db-*"):
        path.unlink()
    (home / "main.db").write_bytes(old)

    refused = cli("relay --once")
    assert refused.code == 1
    assert "`lepton restore --missing`" in refused.err
    assert cli("restore").code == 1
    assert cli("restore --missing").code == 0

    assert cli("verify --json").json == whole
    assert cli("fsck --json").json == {"healed": [], "damaged": [], "unprojected": 0}


def test_the_views_are_rebuilt_from_kafka_as_from_sql(beside_kafka: Cli) -> None:
    cli = beside_kafka
    assert cli("relay --once").code == 0
    asked = ["sql", "SELECT * FROM versions ORDER BY version", "--format", "json"]
    from_sql = cli(asked).out

    assert cli("rebuild --from kafka").code == 0

    assert cli(asked).out == from_sql
    assert cli("fsck --projection --json").json == {"healed": [], "damaged": [], "unprojected": 0}


def test_a_relay_runs_until_sigterm(beside_kafka: Cli, home: Path, cluster: Cluster) -> None:
    relay = subprocess.Popen(
        [sys.executable, "-c", MAIN, "--home", str(home), "relay", "--json"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
        text=True,
    )
    with ModelManager(home) as manager:
        end = manager.verify().size
    while True:
        try:
            with KafkaLog(cluster) as log:
                if log.end() == end:
                    break
        except Unavailable:  # the relay makes the topics
            continue
    relay.send_signal(signal.SIGTERM)
    out, _ = relay.communicate(timeout=PATIENCE)

    assert relay.returncode == 0
    assert str(end) in out


def test_a_relay_that_loses_its_lock_with_its_connection_takes_it_anew(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    if "postgresql" not in ledger.store.database.name:
        pytest.skip("a file's lock is lost with its process only")

    def there() -> int:
        with suppress(Unavailable), KafkaLog(cluster) as log:
            return log.end()
        return 0

    ledger.admit(commit(1), actor)
    with relaying(ledger.store, cluster):
        until(lambda: there() == ledger.store.end())
        with ledger.store.database.connection() as connection:
            found = (
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND classid = hashtext(%s)::oid AND objid = hashtext('relay')::oid"
            )
            assert connection.execute(found, (ledger.store.database.schema,)).fetchall() == [(True,)]
        ledger.admit(note(1), actor)
        until(lambda: there() == ledger.store.end())


def test_a_refused_message_is_told_by_its_place_and_reason_whatever_its_size_and_after_a_restore(
    ledger: Ledger, actor: Actor, cluster: Cluster
) -> None:
    actors = Actors(ledger.store.database)
    ledger.admit(commit(1), actor)
    letters = [Letter(n, raw) for n, raw in enumerate((b"x" * 1_048_000, b"y"))]
    Intake(ledger, actors, cluster.topic("inbox")).take(letters, None)
    asyncio.run(relayed(ledger, cluster))
    asyncio.run(relayed(ledger, cluster))

    def told() -> list[tuple[bytes, str]]:
        found = asyncio.run(everything(cluster, "rejected"))
        return [(each.value, dict(each.headers)["lepton-place"].decode()) for each in found]

    topic = cluster.topic("inbox")
    assert told() == [(b"", f"{topic} 0 0"), (b"", f"{topic} 0 1")]
    with ledger.store.database.connection() as connection:  # as a restored database has it
        connection.execute("DELETE FROM rejected")
    Intake(ledger, actors, cluster.topic("inbox")).take([Letter(2, b"z")], 2)
    asyncio.run(relayed(ledger, cluster))
    asyncio.run(relayed(ledger, cluster))
    assert told()[2:] == [(b"", f"{topic} 0 2")]


def test_without_kafka_its_commands_say_so(home: Path) -> None:
    told = Cli(home)("relay")

    assert (told.code, told.err) == (1, "lepton: no Kafka is set; LEPTON_KAFKA=host:port names one\n")


@pytest.mark.parametrize(
    "text", ["host", "host:port", "kafka://", "http://host:9092", "kafka+sasl://host:1", "a:1,,b:2"]
)
def test_brokers_that_cannot_be_are_refused_in_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("LEPTON_KAFKA", text)

    told = Cli(home)("relay")

    assert told.code == 1
    assert "LEPTON_KAFKA names no brokers" in told.err


def run_example(name: str, *arguments: str) -> None:
    """Run a service of examples/services as somebody else's process."""
    script = Path(__file__).parent.parent / "examples" / "services" / name
    subprocess.run([sys.executable, str(script), *arguments], check=True, timeout=PATIENCE)


@contextmanager
def process(home: Path, *words: str) -> Generator[subprocess.Popen[str]]:
    """A command of Lepton's that runs until SIGTERM."""
    running = subprocess.Popen(
        [sys.executable, "-c", MAIN, "--home", str(home), *words, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
        text=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=PATIENCE)


def test_services_tell_and_follow(
    beside_kafka: Cli, kafka: Kafka, cluster: Cluster, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_OFFERS_FROM", tmp_path.as_uri())
    counted, offered = tmp_path / "counted.json", tmp_path / "model.safetensors"
    save_file({"w": np.zeros((4, 4))}, offered)
    assert beside_kafka("relay --once").code == 0
    follow = (kafka.servers, cluster.topic("events"), str(counted))
    run_example("count_versions.py", *follow)
    assert json.loads(counted.read_text()) == {"seq": 13, "versions": {"credit": 3}}
    with process(home, "relay"), process(home, "intake"), process(home, "worker"):
        for name in ("tell_metrics.py", "tell_observation.py", "tell_metrics.py"):
            run_example(name, kafka.servers, cluster.topic("inbox"))
        for _ in range(2):
            run_example("offer_version.py", kafka.servers, cluster.topic("inbox"), str(offered))
        with ModelManager(home, actor="Ada") as manager:
            until(lambda: len(manager.jobs.recent()) == 1)
            (job,) = manager.jobs.recent()
            assert manager.jobs.wait(job.job, timeout=PATIENCE).status == "finished"
            manager.save_version({"w": np.ones((4, 4))}, name="credit")
            assert manager.sql("SELECT name, value FROM observations ORDER BY name").to_pylist() == [
                {"name": "latency_ms", "value": 3.5},
                {"name": "positive_rate", "value": 0.21},
            ]
    assert beside_kafka("relay --once").code == 0
    run_example("count_versions.py", *follow)
    run_example("count_versions.py", *follow)

    told = json.loads(counted.read_text())
    assert told["versions"] == {"credit": 5}
    assert told["seq"] == beside_kafka("status --json").json["events"]


async def everything(cluster: Cluster, topic: TopicName) -> list[TopicRecord]:
    """All records of a topic."""
    async with Reader(cluster, topic) as reader:
        reader.seek(0)
        found: list[TopicRecord] = []
        while len(found) < await reader.end():
            found += await reader.read(100, 5.0)
        return found


async def only_record(cluster: Cluster, topic: TopicName) -> TopicRecord:
    """The one record of a topic."""
    async with Reader(cluster, topic) as reader:
        assert await reader.end() == 1
        last = await reader.last()
        assert last is not None
        return last


def test_a_rejected_message_is_listed_shown_and_tried_again(
    beside_kafka: Cli, kafka: Kafka, cluster: Cluster, home: Path
) -> None:
    cli = beside_kafka
    with ModelManager(home, actor="Ada") as manager:
        manager.archive("credit", reason="for now")
        before = manager.verify().size
    with process(home, "intake"):
        assert cli("relay --once").code == 0
        run_example("tell_metrics.py", kafka.servers, cluster.topic("inbox"))
        until(lambda: cli("status --json").json["rejected"] == 1)

    assert cli("relay --once").code == 0
    told = asyncio.run(only_record(cluster, "rejected"))
    assert told.value == b""
    assert dict(told.headers)["lepton-place"].decode() == f"{cluster.topic('inbox')} 0 0"
    assert b"archived" in dict(told.headers)["lepton-reason"]

    ((listed,)) = cli("rejected --json").json["rejected"]
    assert "archived" in listed["reason"]
    assert '"ks"' in cli("rejected 1").out
    assert cli("rejected 1 --retry").code == 1
    with ModelManager(home, actor="Ada") as manager:
        manager.unarchive("credit")
    assert cli("rejected 1 --retry --json").json["admitted"] == 1
    assert cli("rejected 1 --retry").code == 1
    assert cli("rejected --json").json["rejected"] == []
    assert cli("status --json").json["events"] == before + 2


@pytest.mark.parametrize("fed_by", ["database", "kafka"])
def test_beside_a_projector_questions_go_to_it(
    beside_kafka: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, fed_by: str
) -> None:
    home = home.rename(home.with_name("h" * 100))
    if fed_by == "database":
        monkeypatch.delenv("LEPTON_KAFKA")
    count = "SELECT count(*) AS n, max(version) AS last FROM versions"
    relaying = process(home, "relay") if fed_by == "kafka" else nullcontext()
    with relaying, process(home, "projector") as projector, ModelManager(home, actor="Ada") as manager:
        until(lambda: (home / "read" / "main.sock").exists() or projector.poll() is not None)
        for n in range(4, 8):
            manager.save_version({"w": np.full((4, 4), n)}, name="credit", metrics={"f1": n / 10})
            assert manager.sql(count).to_pylist() == [{"n": n, "last": n}]
        assert [int(version) for version in manager.find("metric.f1 > 0.45")] == [5, 6, 7]
        past = manager.sql(count, as_of=manager.sql("SELECT min(seq) AS s FROM versions").to_pylist()[0]["s"])
        assert past.to_pylist() == [{"n": 1, "last": 1}]
        with pytest.raises(Refused, match="one SELECT"):
            manager.sql("DELETE FROM versions")
        monkeypatch.setenv("LEPTON_WAIT", "0.5")
        with pytest.raises(Unavailable, match="did not reach"):
            ModelManager(home).sql(count, wait_for=10_000)
        projector.kill()
        projector.wait()
        assert manager.sql(count).to_pylist() == [{"n": 7, "last": 7}]


def test_a_projector_that_nothing_reaches_says_so_at_once(
    beside_kafka: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert beside_kafka("relay --once").code == 0
    assert beside_kafka("tag later 1").code == 0
    with process(home, "projector") as projector:
        until(lambda: (home / "read" / "main.sock").exists() or projector.poll() is not None)

        asked = beside_kafka("sql 'from branches'", LEPTON_WAIT="3600")
        rebuilt = beside_kafka("rebuild --from kafka", LEPTON_WAIT="3600")

        assert (asked.code, rebuilt.code) == (3, 3)
        assert "does not reach the read model" in asked.err
        assert asked.err.endswith("no relay runs; start `lepton relay`\n")
        assert "a projector keeps the views; stop it to make them anew from the topic" in rebuilt.err
        with process(home, "relay"):
            until(lambda: beside_kafka("sql 'from branches'", LEPTON_WAIT="3600").code == 0)
            for care in ("fsck", "rebuild", "verify", "snapshot views.duckdb", "status"):
                assert beside_kafka(care, LEPTON_WAIT="3600").code == 0, care


def figures_at(address: str) -> dict[str, float]:
    """What a process tells Prometheus, nothing while it does not."""
    with suppress(OSError), urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as page:
        lines = [line.split() for line in page.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}
    return {}


def test_a_running_process_serves_its_figures_and_logs_in_json(
    beside_kafka: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("LEPTON_METRICS", address)
    monkeypatch.setenv("LEPTON_LOG", "json")

    def figures() -> dict[str, float]:
        return figures_at(address)

    with process(home, "relay") as relay:
        sent = {"lepton_relay_events": 13.0, "lepton_relay_lag_events": 0.0}
        until(lambda: sent.items() <= figures().items())
        relay.send_signal(signal.SIGTERM)
        _, log = relay.communicate(timeout=PATIENCE)

    told = [json.loads(line) for line in log.splitlines() if "lepton" in line]
    assert {"time", "level", "logger", "message"} <= told[0].keys()


def test_every_process_serves_figures_of_its_own(
    beside_kafka: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(name: str) -> Callable[[], dict[str, float]]:
        address = f"127.0.0.1:{free_port()}"
        monkeypatch.setenv("LEPTON_METRICS", address)
        processes.enter_context(process(home, name))
        return lambda: figures_at(address)

    with ExitStack() as processes:
        figures = {name: started(name) for name in ("relay", "projector", "intake", "worker")}

        def told(name: str, figure: str) -> float:
            return figures[name]().get(f"lepton_{figure}", -1.0)

        until(lambda: told("projector", "projection_events") == 13 and told("projector", "projection_lag_events") == 0)
        assert told("projector", "projection_delay_seconds") > 0
        until(lambda: told("relay", "relay_delay_seconds") > 0)
        until(lambda: told("intake", "workers_ready") == 1)
        assert (told("intake", "jobs_open"), told("intake", "leases_held")) == (0, 0)
        until(lambda: (told("worker", "worker_attempts"), told("worker", "worker_answers")) == (0, 0))


def test_an_event_bears_the_trace_it_was_asked_in(home: Path) -> None:
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("test")
    with ModelManager(home, actor="Ada") as manager:
        with tracer.start_as_current_span("training") as span:
            manager.save_version({"w": np.ones(3)}, name="credit")
        manager.tag("v1", "credit@1")
        traces = [event.get("traceparent") for event in manager.events(after=1)]

    here = span.get_span_context()
    assert {told[:52] for told in traces[:-1]} == {f"00-{here.trace_id:032x}-{here.span_id:016x}"}
    assert traces[-1] is None
