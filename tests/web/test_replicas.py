"""Two servers of one ledger on PostgreSQL, of homes of their own: of many moves one is done, and one may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import httpx
import pytest

from ..asking import until
from ..faults.replicas import Pair, ordeal, replicas
from ..servers import PostgreSQL
from .follower import SSE
from .writes import Write, told

RACERS = 100
MOVED = "/models/net/aliases/raced"


@pytest.fixture(scope="module")
def pair(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("replicas")
    with replicas(folder, postgresql.url(), "replicas") as pair:
        yield pair


def test_of_a_hundred_racing_moves_over_two_servers_one_is_done(pair: Pair) -> None:
    start = Barrier(RACERS)
    with ExitStack() as stack:
        bound = httpx.Limits(max_connections=RACERS)
        https = [stack.enter_context(each.client(limits=bound)) for each in pair.servers]
        tag = https[0].put(MOVED, json={"version": 1}, headers={"If-None-Match": "*"}).headers["ETag"]
        end = https[1].get("/position", params={"wait_for": tag.strip('"')}).json()["seq"]

        def racer(number: int) -> int:
            start.wait()
            moved = {"version": 2 + number % 4 // 2}
            return https[number % 2].put(MOVED, json=moved, headers={"If-Match": tag}).status_code

        with ThreadPoolExecutor(RACERS) as pool:
            assert sorted(pool.map(racer, range(RACERS))) == [200] + [412] * (RACERS - 1)
        assert https[0].get("/position").json()["seq"] == https[1].get("/position").json()["seq"] == end + 1


def test_nothing_acknowledged_is_lost_or_doubled_where_one_is_killed_and_then_the_other(pair: Pair) -> None:
    print(ordeal(pair, kills=2, seed=5))


def test_while_the_database_is_away_it_is_said_and_streams_wait_and_then_all_goes_on(
    pair: Pair, postgresql: PostgreSQL
) -> None:
    server = pair.servers[0]
    write = Write("PATCH", "/models/net/versions/2/annotations", {"during": "the outage"})
    with server.client() as http, ExitStack() as stack:
        end = http.get("/position").json()["seq"]
        stream = stack.enter_context(http.stream("GET", "/events", headers=SSE, params={"after": end}))
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        postgresql.stop()
        try:
            away = write.send(http, "during")
            ready, healthy = httpx.get(f"{server.url}/readyz"), httpx.get(f"{server.url}/healthz")
        finally:
            postgresql.start()
        until(lambda: write.send(http, "during").status_code == 200)  # as the server recovers
        back = write.send(http, "during")
        again = write.send(http, "during")

        assert (away.status_code, away.json()["key"], "Retry-After" in away.headers) == (503, "during", True), away.text
        assert (ready.status_code, healthy.status_code) == (503, 200)
        assert back.status_code == 200, back.text
        assert told(back) == told(again)
        assert next(line for line in lines if line.startswith("id: ")) == f"id: {end + 1}"
        assert http.get("/position").json()["seq"] == end + 1
