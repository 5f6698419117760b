"""Names over HTTP: what stands where, and moves that are refused where others came first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest

from lepton_ai.results import Refs, RolledBack, Version
from lepton_ai.results.wire import unpacked
from lepton_ai.web.caller import ANSWER

from .server import Served, served

TOY = "/models/toy"
RACERS = 30


class Toy(NamedTuple):
    """A served ledger with a model of three versions, and a client."""

    server: Served
    http: httpx.Client

    def tag_of(self, path: str) -> str:
        return self.http.get(f"{TOY}/{path}").headers["ETag"]

    def end(self) -> int:
        return self.server.manager.position()

    def fresh(self, name: str, at: int = 1) -> str:
        """An alias of a test's own on a version: its ETag."""
        answer = self.http.put(f"{TOY}/aliases/{name}", json={"version": at}, headers={"If-None-Match": "*"})
        assert answer.status_code == 201, answer.text
        return answer.headers["ETag"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    with served(tmp_path_factory.mktemp("names") / "home") as server:
        for value in (0.5, 0.6, 0.7):
            server.manager.save_version({"w": np.full(8, value, np.float32)}, name="toy", metrics={"f1": value})
        yield Toy(server, server.client())


def problem(answer: httpx.Response) -> str:
    """The last part of a problem's type."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].rpartition(":")[2]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_is_told_with_its_last_move(toy: Toy) -> None:
    tag = toy.fresh("read", 2)
    one, all_of_them = toy.http.get(f"{TOY}/aliases/read"), toy.http.get(f"{TOY}/aliases")

    assert one.json()["version"] == 2
    assert one.json()["last_move"] == int(tag.strip('"')) == toy.end()
    assert one.headers["ETag"] == all_of_them.headers["ETag"] == tag
    assert all_of_them.json()["aliases"]["read"] == one.json()
    assert toy.http.get(f"{TOY}/branches/main").json()["version"] == 3


def test_what_is_known_is_not_sent_again_until_it_moves(toy: Toy) -> None:
    tag = toy.fresh("cached")

    for path in ("aliases/cached", "aliases"):
        known = toy.http.get(f"{TOY}/{path}", headers={"If-None-Match": tag})
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    toy.http.put(f"{TOY}/aliases/cached", json={"version": 2}, headers={"If-Match": tag})
    assert toy.http.get(f"{TOY}/aliases/cached", headers={"If-None-Match": tag}).status_code == 200


def test_the_sdk_is_told_what_it_tells_itself(toy: Toy) -> None:
    toy.fresh("sdk")
    sdk, manager = {"Accept": ANSWER}, toy.server.manager

    def read(path: str) -> Any:
        return unpacked(toy.http.get(f"{TOY}/{path}", headers=sdk).json())

    refs = read("aliases")
    assert isinstance(refs, Refs)
    assert refs == manager.aliases(model="toy")
    assert (refs.last_moves, refs.last) == (manager.aliases(model="toy").last_moves, manager.aliases(model="toy").last)
    assert isinstance(read("aliases/sdk"), Version)
    assert read("aliases/sdk/moves") == manager.moves("sdk", "alias", model="toy")


def test_moves_of_a_name_come_in_pages_and_outlive_it(toy: Toy) -> None:
    tag = toy.fresh("paged")
    for at in (2, 3, 1, 2):
        moved = toy.http.put(f"{TOY}/aliases/paged", json={"version": at}, headers={"If-Match": tag})
        tag = moved.headers["ETag"]
    toy.http.delete(f"{TOY}/aliases/paged", headers={"If-Match": tag})
    pages, path = [], f"{TOY}/aliases/paged/moves?most=2"
    while path:
        answer = toy.http.get(path)
        pages.append([(move["kind"], move["version"]) for move in answer.json()["entries"]])
        path = f"{TOY}/aliases/paged/moves{answer.json()['next']}" if answer.json()["next"] else ""

    assert pages == [[("deleted", None), ("moved", 2)], [("moved", 1), ("moved", 3)], [("moved", 2), ("moved", 1)]]
    assert toy.http.get(f"{TOY}/aliases/paged").status_code == 404


def test_a_tag_has_moves_too(toy: Toy) -> None:
    tag = toy.http.put(f"{TOY}/tags/bound", json={"version": 1}).headers["ETag"]
    toy.http.delete(f"{TOY}/tags/bound", headers={"If-Match": tag})
    again = toy.http.put(f"{TOY}/tags/bound", json={"version": 2})

    moves = toy.http.get(f"{TOY}/tags/bound/moves").json()["entries"]
    assert [(move["kind"], move["version"], move["from_version"]) for move in moves] == [
        ("created", 2, None),
        ("deleted", None, 1),
        ("created", 1, None),
    ]
    assert again.headers["ETag"] != tag


# ── preconditions ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": "{tag}"}, 200),
        ({"If-Match": '"1", {tag}'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": "*", "If-None-Match": '"1"'}, 200),
        ({"If-None-Match": '"1"'}, 200),
        ({"If-Match": '"1"'}, 412),
        ({"If-Match": "W/{tag}"}, 412),
        ({"If-Match": '"of-another"'}, 412),
        ({"If-None-Match": "*"}, 412),
        ({"If-None-Match": "W/{tag}"}, 412),
        ({"If-Match": "{tag}", "If-None-Match": "{tag}"}, 412),
        ({"If-Match": "{tag}", "If-None-Match": "*"}, 412),
        ({}, 428),
        ({"If-Match": "7"}, 400),
        ({"If-Match": '"7" "8"'}, 400),
        ({"If-Match": ""}, 400),
    ],
)
def test_headers_say_when_an_alias_moves(toy: Toy, headers: dict[str, str], status: int) -> None:
    tag = toy.fresh(f"conditional-{toy.end()}")
    end, sent = toy.end(), {key: each.format(tag=tag) for key, each in headers.items()}

    answer = toy.http.put(f"{TOY}/aliases/conditional-{end - 1}", json={"version": 2}, headers=sent)

    assert answer.status_code == status, answer.text
    assert toy.end() == end + (status == 200)


def test_a_name_that_was_moved_and_put_back_is_stale(toy: Toy) -> None:
    tag = toy.fresh("aba")
    there = toy.http.put(f"{TOY}/aliases/aba", json={"version": 2}, headers={"If-Match": tag})
    back = toy.http.put(f"{TOY}/aliases/aba", json={"version": 1}, headers={"If-Match": there.headers["ETag"]})
    assert (there.status_code, back.status_code) == (200, 200)

    stale = toy.http.put(f"{TOY}/aliases/aba", json={"version": 3}, headers={"If-Match": tag})
    assert (stale.status_code, problem(stale)) == (412, "stale")
    by_body = toy.http.put(f"{TOY}/aliases/aba", json={"version": 3, "expected": {"last_move": int(tag.strip('"'))}})
    assert (by_body.status_code, problem(by_body)) == (409, "stale")
    fine = toy.http.put(f"{TOY}/aliases/aba", json={"version": 3, "expected": 1})
    assert fine.status_code == 200


def test_deleting_what_is_not_there_is_unknown_whatever_is_expected(toy: Toy) -> None:
    for kind in ("branches", "tags", "aliases"):
        for headers in ({"If-Match": "*"}, {"If-Match": '"3"'}):
            assert toy.http.delete(f"{TOY}/{kind}/nowhere", headers=headers).status_code == 404
        assert toy.http.delete(f"{TOY}/{kind}/nowhere").status_code == 428


def test_several_aliases_move_together_or_not_at_all(toy: Toy) -> None:
    toy.fresh("one")
    toy.fresh("two")
    collection = toy.tag_of("aliases")
    moves = {"one": 2, "two": 3}

    assert toy.http.patch(f"{TOY}/aliases", json={"moves": moves}).status_code == 428
    body = {"moves": moves, "expected": {"two": 2}}
    stale = toy.http.patch(f"{TOY}/aliases", json=body, headers={"If-Match": collection})
    assert stale.status_code == 412
    assert toy.http.get(f"{TOY}/aliases/one").json()["version"] == 1
    moved = toy.http.patch(f"{TOY}/aliases", json={"moves": moves}, headers={"If-Match": collection})
    assert moved.status_code == 200
    assert moved.headers["ETag"] == toy.tag_of("aliases") != collection
    assert moved.json()["aliases"]["two"]["version"] == 3
    late = toy.http.patch(f"{TOY}/aliases", json={"moves": {"one": 3}}, headers={"If-Match": collection})
    assert (late.status_code, problem(late)) == (412, "stale")
    whichever = toy.http.patch(f"{TOY}/aliases", json={"moves": {"one": 3}}, headers={"If-Match": "*"})
    assert whichever.status_code == 200


def test_a_protected_alias_moves_by_its_gate_and_the_problem_says_what_is_required(toy: Toy) -> None:
    toy.fresh("guarded")
    path = f"{TOY}/aliases/guarded/protection"
    put = toy.http.put(path, json={"require": ["f1 > 0.65"]}, headers={"If-None-Match": "*"})
    assert put.status_code == 200
    assert toy.http.get(path).headers["ETag"] == put.headers["ETag"]
    assert toy.http.put(path, json={"require": ["f1 > 0"]}, headers={"If-Match": '"1"'}).status_code == 412

    refused = toy.http.put(f"{TOY}/aliases/guarded", json={"version": 2}, headers={"If-Match": "*"})
    assert (refused.status_code, problem(refused)) == (409, "gate-not-met")
    assert refused.json()["requirements"] == ["f1 > 0.65"]
    overridden = {"version": 3, "override": True, "reason": "the test says so"}
    assert toy.http.put(f"{TOY}/aliases/guarded", json=overridden, headers={"If-Match": "*"}).status_code == 200
    assert toy.http.delete(f"{TOY}/aliases/guarded", headers={"If-Match": "*"}).status_code == 409
    assert toy.http.delete(path, headers={"If-Match": '"1"'}).status_code == 412
    assert toy.http.delete(path, headers={"If-Match": put.headers["ETag"]}).status_code == 200
    assert toy.http.get(path).status_code == 404


def test_a_rollback_is_planned_and_then_done_under_the_last_move(toy: Toy) -> None:
    toy.http.put(f"{TOY}/branches/back", json={"version": 3})
    tag = toy.tag_of("branches/back")
    end = toy.end()
    plan = toy.http.post(f"{TOY}/rollback-plans", json={"to": 1, "branch": "back"})
    assert (plan.status_code, plan.json()["to_version"], toy.end()) == (200, 1, end)

    assert toy.http.post(f"{TOY}/rollbacks", json={"to": 1, "branch": "back"}).status_code == 428
    done = toy.http.post(f"{TOY}/rollbacks", json={"to": 1, "branch": "back"}, headers={"If-Match": tag})
    assert (done.status_code, done.json()["to_version"]) == (200, 1)
    assert done.headers["ETag"] == toy.tag_of("branches/back") != tag
    outside = toy.http.post(f"{TOY}/rollbacks", json={"to": 3, "branch": "wide"}, headers={"If-Match": "*"})
    assert outside.status_code == 404
    toy.http.put(f"{TOY}/branches/wide", json={"version": 1})
    beyond = toy.http.post(f"{TOY}/rollbacks", json={"to": 3, "branch": "wide"}, headers={"If-Match": "*"})
    assert (beyond.status_code, problem(beyond)) == (409, "not-in-past")
    told = unpacked(
        toy.http.post(
            f"{TOY}/rollbacks", json={"to": 3, "branch": "back"}, headers={"If-Match": "*", "Accept": ANSWER}
        ).json()
    )
    assert isinstance(told, RolledBack)


def test_a_version_is_merged_into_the_branch_that_was_seen(toy: Toy) -> None:
    toy.http.put(f"{TOY}/branches/into", json={"version": 1})
    tag = toy.tag_of("branches/into")
    body = {"version": 3, "into": "into", "strategy": "theirs"}

    assert toy.http.post(f"{TOY}/merges", json=body, headers={"If-Match": '"1"'}).status_code == 412
    merged = toy.http.post(f"{TOY}/merges", json=body, headers={"If-Match": tag})
    assert merged.status_code == 200
    assert merged.headers["Location"] == f"/api/v1/models/toy/versions/{merged.json()['version']}"
    assert merged.headers["ETag"] == toy.tag_of("branches/into")
    assert toy.http.get(f"{TOY}/suggestions").json()["branch"] == "main"


# ── races and repeats ────────────────────────────────────────────────────────────────────────────────────────────────


def raced(toy: Toy, send: Callable[[httpx.Client, int], httpx.Response]) -> list[int]:
    """What each of many is answered who send at once, each over a connection of its own."""
    start = Barrier(RACERS)
    http = toy.server.client(limits=httpx.Limits(max_connections=RACERS))

    def racer(number: int) -> int:
        start.wait()
        return send(http, number).status_code

    with ThreadPoolExecutor(RACERS) as pool:
        return sorted(pool.map(racer, range(RACERS)))


def test_of_many_racing_moves_of_an_alias_one_is_done(toy: Toy) -> None:
    tag = toy.fresh("raced")
    end = toy.end()

    def put(http: httpx.Client, number: int) -> httpx.Response:
        return http.put(f"{TOY}/aliases/raced", json={"version": 2 + number % 2}, headers={"If-Match": tag})

    assert raced(toy, put) == [200] + [412] * (RACERS - 1)
    assert toy.end() == end + 1


def test_of_many_racing_moves_of_several_aliases_one_is_done(toy: Toy) -> None:
    toy.fresh("left")
    toy.fresh("right")
    tag, end = toy.tag_of("aliases"), toy.end()

    def patch(http: httpx.Client, number: int) -> httpx.Response:
        moves = {"left": 2 + number % 2, "right": 2}
        return http.patch(f"{TOY}/aliases", json={"moves": moves}, headers={"If-Match": tag})

    assert raced(toy, patch) == [200] + [412] * (RACERS - 1)
    assert toy.end() == end + 2


def test_of_many_racing_rollbacks_one_is_done(toy: Toy) -> None:
    toy.http.put(f"{TOY}/branches/contested", json={"version": 3})
    tag, end = toy.tag_of("branches/contested"), toy.end()

    def back(http: httpx.Client, number: int) -> httpx.Response:
        body = {"to": 1 + number % 2, "branch": "contested"}
        return http.post(f"{TOY}/rollbacks", json=body, headers={"If-Match": tag})

    assert raced(toy, back) == [200] + [412] * (RACERS - 1)
    assert toy.end() == end + 1


def test_of_many_who_bind_one_tag_one_does(toy: Toy) -> None:
    end = toy.end()

    def bind(http: httpx.Client, number: int) -> httpx.Response:
        body = {"version": 1 + number % 3}
        return http.put(f"{TOY}/tags/wanted", json=body, headers={"If-None-Match": "*"})

    assert raced(toy, bind) == [201] + [412] * (RACERS - 1)
    assert toy.end() == end + 1


def writes(toy: Toy) -> dict[str, tuple[str, str, dict[str, Any], str]]:
    """Each write by its name: method, path, body, and the If-Match that it needs."""
    tags = {name: toy.fresh(name) for name in ("k-put", "k-delete", "k-back", "k-protect")}
    for name in ("k-roll", "k-merge", "k-branch-gone"):
        toy.http.put(f"{TOY}/branches/{name}", json={"version": 3 if name == "k-roll" else 1})
    toy.http.put(f"{TOY}/tags/k-tag-gone", json={"version": 1})
    moved = toy.http.put(f"{TOY}/aliases/k-back", json={"version": 2}, headers={"If-Match": tags["k-back"]})
    return {
        "put alias": ("PUT", "aliases/k-put", {"version": 2}, tags["k-put"]),
        "delete alias": ("DELETE", "aliases/k-delete", {}, tags["k-delete"]),
        "move aliases": ("PATCH", "aliases", {"moves": {"k-patch": 1}}, "*"),
        "put branch": ("PUT", "branches/k-branch", {"version": 1}, ""),
        "delete branch": ("DELETE", "branches/k-branch-gone", {}, "*"),
        "put tag": ("PUT", "tags/k-tag", {"version": 1}, ""),
        "delete tag": ("DELETE", "tags/k-tag-gone", {}, "*"),
        "protect": ("PUT", "aliases/k-protect/protection", {"require": ["f1 > 0"]}, ""),
        "roll back a branch": ("POST", "rollbacks", {"to": 1, "branch": "k-roll"}, toy.tag_of("branches/k-roll")),
        "roll back an alias": ("POST", "rollbacks", {"alias": "k-back"}, moved.headers["ETag"]),
        "merge": ("POST", "merges", {"version": 3, "into": "k-merge", "strategy": "ours"}, "*"),
    }


def test_a_write_that_is_sent_fifty_times_under_one_key_acts_once_whatever_moved_since(toy: Toy) -> None:
    asked = writes(toy)

    def send(name: str) -> httpx.Response:
        method, path, body, tag = asked[name]
        headers = {"Idempotency-Key": f"key of {name}"} | ({"If-Match": tag} if tag else {})
        return toy.http.request(method, f"{TOY}/{path}", headers=headers, json=body or None)

    first = {name: send(name) for name in asked}
    assert {name: each.text for name, each in first.items() if each.status_code not in (200, 201)} == {}
    # all that they moved is moved on
    for path in ("aliases/k-put", "aliases/k-back", "aliases/k-patch"):
        toy.http.put(f"{TOY}/{path}", json={"version": 3}, headers={"If-Match": "*"})
    toy.http.post(f"{TOY}/rollbacks", json={"to": 3, "branch": "k-roll"}, headers={"If-Match": "*"})
    for path in ("branches/k-branch", "tags/k-tag", "branches/k-merge"):
        toy.http.delete(f"{TOY}/{path}", headers={"If-Match": "*"})
    end = toy.end()

    for name, answer in first.items():
        for again in (send(name) for _ in range(50)):
            assert (again.status_code, again.content) == (answer.status_code, answer.content), name
            for header in ("ETag", "Lepton-Seq", "Location"):
                assert again.headers.get(header) == answer.headers.get(header), f"{header} of {name}"
    assert toy.end() == end


def test_a_repeat_is_answered_though_what_it_named_is_gone(toy: Toy) -> None:
    toy.http.put(f"{TOY}/branches/passing", json={"version": 2})

    def put() -> httpx.Response:
        headers = {"If-None-Match": "*", "Idempotency-Key": "passing"}
        return toy.http.put(f"{TOY}/aliases/kept", json={"version": "passing"}, headers=headers)

    first = put()
    toy.http.delete(f"{TOY}/branches/passing", headers={"If-Match": "*"})
    again = put()
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert (
        toy.http.put(f"{TOY}/aliases/other", json={"version": "passing"}, headers={"If-Match": "*"}).status_code == 404
    )


def test_a_key_with_another_content_is_refused(toy: Toy) -> None:
    tag = toy.fresh("keyed")
    headers = {"If-Match": tag, "Idempotency-Key": "one key"}
    toy.http.put(f"{TOY}/aliases/keyed", json={"version": 2}, headers=headers)

    other = toy.http.put(f"{TOY}/aliases/keyed", json={"version": 3}, headers=headers)
    assert (other.status_code, problem(other)) == (422, "key-reused")


# ── the past ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reads_are_of_the_place_in_the_log_that_they_ask_for(toy: Toy) -> None:
    toy.fresh("then")
    seen = {toy.end(): toy.http.get(f"{TOY}/aliases").content}
    for at in (2, 3, 1):
        toy.http.put(f"{TOY}/aliases/then", json={"version": at}, headers={"If-Match": "*"})
        seen[toy.end()] = toy.http.get(f"{TOY}/aliases").content

    for seq, content in seen.items():
        assert toy.http.get(f"{TOY}/aliases", params={"at": seq}).content == content
        assert toy.http.get("/position", params={"at": seq}).json() == {"seq": seq}
    assert toy.http.get(f"{TOY}/aliases/then", params={"at": min(seen) - 1}).status_code == 404
    assert toy.http.get("/position", params={"at": "2001-02-03"}).json() == {"seq": 0}
    assert toy.http.get(f"{TOY}/aliases/then/moves", params={"at": min(seen)}).json()["entries"][0]["seq"] == min(seen)


def test_queries_and_searches_are_of_that_place_too(toy: Toy) -> None:
    first = toy.server.manager.show("toy@1").seq
    query = {"query": "SELECT count(*) AS n FROM versions WHERE model = 'toy'"}
    answer = toy.http.get("/sql", params=query | {"at": first})
    found = toy.http.get("/search", params={"where": "metric.f1 > 0", "at": first})

    assert (answer.status_code, found.status_code) == (200, 200), answer.text + found.text
    assert answer.json()["rows"] == [[1]] or answer.json()["rows"] == [{"n": 1}]
    assert [each["version"] for each in found.json()["versions"]] == [1]
    assert toy.http.get(f"{TOY}/log", params={"at": first}).json()["entries"][0]["seq"] == first


def test_what_was_written_is_waited_for(toy: Toy) -> None:
    end = toy.end()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(toy.server.client().get, f"{TOY}/aliases/waited", params={"wait_for": end + 1})
        toy.fresh("waited")

        assert waiting.result().json()["last_move"] == end + 1


def test_what_does_not_come_is_away_for_now(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepton_ai.web.reading.LIMIT", 0.05)

    answer = toy.http.get("/position", params={"wait_for": 10**9})
    assert (answer.status_code, problem(answer)) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────

ANY, NEW = {"If-Match": "*"}, {"If-None-Match": "*"}
BAD: dict[str, tuple[str, str, Any, dict[str, str], int, str]] = {
    "a model that is not there": ("PUT", "/models/nobody/aliases/a", {"version": 1}, ANY, 404, "unknown"),
    "a version that is not there": (
        "PUT",
        f"{TOY}/aliases/new",
        {"version": 99},
        NEW,
        404,
        "unknown",
    ),
    "a name that is none": ("PUT", f"{TOY}/aliases/1st", {"version": 1}, NEW, 400, "malformed"),
    "a name with a control character": (
        "PUT",
        f"{TOY}/tags/a%00b",
        {"version": 1},
        {},
        400,
        "malformed",
    ),
    "a name that is no UTF-8": ("PUT", f"{TOY}/tags/%FF", {"version": 1}, {}, 400, "malformed"),
    "a name that leads elsewhere": ("PUT", f"{TOY}/tags/..%2Fa", {"version": 1}, {}, 400, "malformed"),
    "a branch's name for a tag": ("PUT", f"{TOY}/tags/main", {"version": 1}, {}, 409, "refused"),
    "a tag on another version": ("PUT", f"{TOY}/tags/fixed", {"version": 2}, {}, 409, "refused"),
    "a branch at another version": ("PUT", f"{TOY}/branches/main", {"version": 1}, {}, 409, "refused"),
    "the only branch": ("DELETE", "/models/lone/branches/main", None, ANY, 409, "refused"),
    "a body without a version": ("PUT", f"{TOY}/aliases/new", {}, ANY, 400, "malformed"),
    "a field too many": ("PUT", f"{TOY}/aliases/new", {"version": 1, "actor": "eve"}, ANY, 400, "malformed"),
    "a version that is a fraction": ("PUT", f"{TOY}/aliases/new", {"version": 1.5}, ANY, 400, "malformed"),
    "a version of another model": ("PUT", f"{TOY}/aliases/new", {"version": "lone@1"}, ANY, 400, "malformed"),
    "no body": ("PUT", f"{TOY}/aliases/new", None, ANY, 400, "malformed"),
    "two preconditions": ("PUT", f"{TOY}/aliases/new", {"version": 1, "expected": 0}, ANY, 400, "malformed"),
    "no moves": ("PATCH", f"{TOY}/aliases", {"moves": {}}, ANY, 400, "malformed"),
    "all aliases expected in the body": (
        "PATCH",
        f"{TOY}/aliases",
        {"moves": {"new": 1}, "expected": {"*": 1}},
        ANY,
        400,
        "malformed",
    ),
    "an alias expected that does not move": (
        "PATCH",
        f"{TOY}/aliases",
        {"moves": {"new": 1}, "expected": {"other": 1}},
        ANY,
        409,
        "refused",
    ),
    "tags without quotes": ("PUT", f"{TOY}/aliases/new", {"version": 1}, {"If-Match": "12"}, 400, "malformed"),
    "an empty key": (
        "PUT",
        f"{TOY}/aliases/new",
        {"version": 1},
        ANY | {"Idempotency-Key": ""},
        400,
        "malformed",
    ),
    "a rollback to nowhere": ("POST", f"{TOY}/rollbacks", {"branch": "main"}, ANY, 409, "refused"),
    "a rollback of both": (
        "POST",
        f"{TOY}/rollbacks",
        {"to": 1, "branch": "main", "alias": "a"},
        ANY,
        400,
        "malformed",
    ),
    "a rehearsal without rows": ("POST", f"{TOY}/rehearsals", {"to": 1}, {}, 400, "malformed"),
    "a rehearsal on a file": (
        "POST",
        f"{TOY}/rehearsals",
        {"to": 1, "rehearse": {"data": "/etc/passwd"}},
        {},
        400,
        "malformed",
    ),
    "a strategy that is none": ("POST", f"{TOY}/merges", {"version": 1, "strategy": "luck"}, ANY, 400, "malformed"),
    "a weight beyond one": ("POST", f"{TOY}/merges", {"version": 1, "weight": 2}, ANY, 409, "refused"),
    "a protection that requires nothing": ("PUT", f"{TOY}/aliases/new/protection", {}, {}, 400, "malformed"),
    "a requirement that is none": (
        "PUT",
        f"{TOY}/aliases/new/protection",
        {"require": ["f1 >>"]},
        {},
        400,
        "malformed",
    ),
    "an alias that is not protected": ("DELETE", f"{TOY}/aliases/new/protection", None, {}, 409, "refused"),
    "a place behind the end": ("GET", f"{TOY}/aliases?at=1000000", None, {}, 400, "malformed"),
    "a place that is none": ("GET", f"{TOY}/aliases?at=soon", None, {}, 400, "malformed"),
    "an event before the first": ("GET", f"{TOY}/aliases?wait_for=-1", None, {}, 400, "malformed"),
    "a write to the past": ("PUT", f"{TOY}/tags/new?at=3", {"version": 1}, {}, 400, "malformed"),
    "a cursor of nobody's": ("GET", f"{TOY}/branches/main/moves?cursor=abc", None, {}, 400, "malformed"),
    "moves of what never was": ("GET", f"{TOY}/aliases/never/moves", None, {}, 404, "unknown"),
}


@pytest.fixture(scope="module")
def beside(toy: Toy) -> Toy:
    """The same ledger, with a tag and a model of one branch."""
    toy.http.put(f"{TOY}/tags/fixed", json={"version": 1})
    toy.server.manager.save_version({"w": np.ones(1, np.float32)}, name="lone")
    return toy


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_input_is_told_and_changes_nothing(beside: Toy, case: str) -> None:
    method, path, body, headers, status, kind = BAD[case]
    end = beside.end()

    answer = beside.http.request(method, path, json=body, headers=headers)

    assert (answer.status_code, problem(answer)) == (status, kind), answer.text
    assert answer.json()["detail"]
    assert beside.end() == end
