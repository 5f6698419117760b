"""Four deciders at once on PostgreSQL, beside pyeventsourcing 9.5.6: commits a second, each by its own process.

Both store events of the same size, durably (fsync on). Lepton's deciders append to one log, whose order is one; they
take the head's row one after the other. pyeventsourcing's take a lock on its table, for the same reason. Its one save
of a hundred events stands beside both a command of a hundred and a hundred commands, decided one by one, in one commit.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from append import BATCH, SIZE, Noted, batches

from lepton_ai.domain.commands import Annotate, StartRun
from lepton_ai.ledger import Request
from lepton_ai.settings import load
from lepton_ai.wiring import Home

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.asking import commit
from tests.servers import PASSWORD, PostgreSQL

DECIDERS, SECONDS, RUNS = 4, 3.0, 5


class Durable(PostgreSQL):
    """A server that syncs each commit to the disk."""

    OPTIONS = ()


def lepton(number: str, events: int, commands: int) -> Callable[[int], object]:
    """A decider's act on a model of its own: that many commands in one transaction, of that many events each."""
    work = Home(load()).workspace
    actor, model = work.actors.named(f"decider {number}"), f"model-{number}"
    if not work.model(model).registered:
        work.ledger.admit(commit(1, model=model), actor)
    if events > 1:
        run = f"run-{number}-{os.getpid()}"
        work.ledger.admit(StartRun(run=run, model=model), actor)
        together = batches(work.ledger, actor, run)
        return lambda _: together(events)

    def note(n: int, text: str = "") -> Annotate:
        return Annotate(model=model, version=1, annotations={"n": f"{n:012d}{text}"})

    stored = work.ledger.admit(note(-1 - os.getpid()), actor).events[-1].seq
    text = "x" * (SIZE - len(work.ledger.store.read(stored - 1, 1)[0].envelope))
    if commands == 1:
        return lambda n: work.ledger.admit(note(n, text), actor)
    return lambda n: work.ledger.admit_all(Request(note(n * commands + m, text), actor) for m in range(commands))


def pyeventsourcing(number: str, events: int, commands: int) -> Callable[[int], object]:
    """A decider's act: a save of an aggregate of its own with that many new events."""
    together = events * commands
    from eventsourcing.application import Application

    # the first decider made the tables when it was alone; several at once would trip over each other
    makes = "y" if number == "0" else "n"
    application: Application[Any] = Application({"PERSISTENCE_MODULE": "eventsourcing.postgres", "CREATE_TABLE": makes})
    aggregate = Noted()
    aggregate.annotate("n", "")
    application.save(aggregate)
    empty = max(len(each.state) for each in application.recorder.select_events(aggregate.id, gt=1))
    text = "x" * (SIZE - empty - 12)

    def save(n: int) -> None:
        for m in range(together):
            aggregate.annotate("n", f"{n * together + m:012d}{text}")
        application.save(aggregate)

    return save


KINDS = {"lepton": lepton, "pyeventsourcing": pyeventsourcing}


def decide(kind: str, number: str, events: int, commands: int) -> None:
    """Be a decider: say when ready, act until the time is over, say how often."""
    act = KINDS[kind](number, events, commands)
    act(0)
    print("ready", flush=True)
    sys.stdin.readline()
    done, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        done += 1
        act(done)
    print(done, flush=True)


def rate(kind: str, deciders: int, events: int, commands: int) -> float:
    """Commits a second of so many deciders at once."""
    what = (kind, str(events), str(commands))
    running = [
        subprocess.Popen(
            (sys.executable, __file__, str(n), *what), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(deciders)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    return sum(int(each.communicate()[0]) for each in running) / SECONDS


def main() -> None:
    """Run all and print the table."""
    server = Durable()
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "LEPTON_HOME": folder,
            "LEPTON_DATABASE": server.url(),
            "PYTHONSAFEPATH": "",
            "POSTGRES_DBNAME": "postgres",
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(server.port),
            "POSTGRES_USER": "lepton",
            "POSTGRES_PASSWORD": PASSWORD,
        }
        Home(load()).workspace  # noqa: B018 - makes the ledger
        print(f"| {SIZE}-byte events on PostgreSQL, fsync on | Lepton | pyeventsourcing | ratio |")
        print("| --- | --- | --- | --- |")
        for what, deciders, events, commands in (
            ("one decider, an event a commit", 1, 1, 1),
            (f"{DECIDERS} deciders, an event a commit", DECIDERS, 1, 1),
            (f"{DECIDERS} deciders, a command of {BATCH} events a commit", DECIDERS, BATCH, 1),
            (f"{DECIDERS} deciders, {BATCH} commands a commit", DECIDERS, 1, BATCH),
        ):
            # in turn, and the peer first every second time: what a machine does besides meets both
            runs = [
                {kind: rate(kind, deciders, events, commands) for kind in (KINDS if n % 2 else reversed(KINDS))}
                for n in range(RUNS)
            ]
            ours, theirs = (statistics.median(each[kind] for each in runs) for kind in KINDS)
            ratio = statistics.median(each["lepton"] / each["pyeventsourcing"] for each in runs)
            told = [f"{each:,.0f} commits/s = {each * events * commands:,.0f} events/s" for each in (ours, theirs)]
            print(f"| {what} | {told[0]} | {told[1]} | {ratio:.2f} |", flush=True)
    server.remove()


if __name__ == "__main__":
    if sys.argv[1:]:
        number, kind, events, commands = sys.argv[1:]
        decide(kind, number, int(events), int(commands))
    else:
        main()
