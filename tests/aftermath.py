"""What is left of a ledger that was at work while everything around it was killed, and what of it is wrong."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lepton_ai.events.kafka.clients import Reader
from lepton_ai.events.kafka.log import KafkaLog
from lepton_ai.events.kafka.relay import ROOT
from lepton_ai.events.sql.audit import verify
from lepton_ai.projections.check import compare
from lepton_ai.wiring import Home

ENDS: Final = ("finished", "failed", "cancelled")


def differences(home: Home, notes: Sequence[int], messages: int, jobs: Sequence[str]) -> Iterator[str]:
    """What is lost, doubled, or told otherwise by another part."""
    rows = home.store.read(0, 10**9)
    told = [json.loads(row.envelope) for row in rows]
    noted = Counter(each["data"]["annotations"]["n"] for each in told if each["type"] == "lepton.version.annotated.v1")
    taken = Counter(each["inboxid"] for each in told if "inboxid" in each)
    for name, counts, wanted in (("commit", noted, notes), ("message", taken, map(str, range(messages)))):
        if doubled := [each for each, count in counts.items() if count > 1]:
            yield f"{name} {doubled[0]} is there twice"
        if lost := [each for each in wanted if each not in counts]:
            yield f"acknowledged {name} {lost[0]} is lost"
    yield from _jobs(told, jobs)
    with KafkaLog(home.cluster) as log:
        relayed = []
        while more := log.read(len(relayed), 5000):
            relayed += more
    if relayed != list(rows):
        yield f"Kafka has {len(relayed)} events, the database {len(rows)}, and they are not the same"
    if asyncio.run(_last_root(home)) != verify(home.store).root:
        yield "the topic's last root is not the database's"
    yield from _views(home)


def _views(home: Home) -> Iterator[str]:
    with home.projection() as projection:
        projection.catch_up()
        yield from (f"live views: {each}" for each in compare(projection, home.store))
    with home.kafka_log() as log, home.projection(log) as projection:
        projection.rebuild()
        yield from (f"views rebuilt from Kafka: {each}" for each in compare(projection, home.store))


async def _last_root(home: Home) -> str:
    async with Reader(home.cluster, "events") as reader:
        last = await reader.last()
    assert last is not None
    return dict(last.headers).get(ROOT, b"").decode()


def _jobs(told: Sequence[dict[str, Any]], jobs: Sequence[str]) -> Iterator[str]:
    """Every job ends exactly once, well, and makes one version; nothing is told of an attempt that was given up."""
    stories: dict[str, list[tuple[str, int]]] = {job: [] for job in jobs}
    for each in told:
        kind, _, job = each["subject"].partition("/")
        if kind == "job":
            stories[job].append((each["type"].split(".")[2], each["data"].get("epoch", 0)))
    for job, story in stories.items():
        ends = [what for what, _ in story if what in ENDS]
        if ends != ["finished"] or story[-1][0] != "finished":
            yield f"job {job} ended so: {ends}, of {story}"
        if [epoch for _, epoch in story] != sorted(epoch for _, epoch in story):
            yield f"an older attempt of job {job} was heard: {story}"
    kinds = [each["type"] for each in told if each["subject"] == "model/net"]
    if (versions := kinds.count("lepton.version.committed.v2")) != len(jobs):
        yield f"{len(jobs)} jobs made {versions} versions"
