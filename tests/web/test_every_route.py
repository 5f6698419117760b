"""A walk of every route: whoever may not come in is refused as a problem, and learns of nothing that is hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from lepton_ai.domain.access.rights import SCOPES
from lepton_ai.domain.studies.commands import CreateStudy
from lepton_ai.web.app import api
from lepton_ai.web.door.access import OPEN
from lepton_ai.web.options import Limits
from lepton_ai.web.problems import ERRORS, MEDIA, OTHERS, TYPE

from ..asking import until
from .every_route import ABSENT_JOB, ANY_MOVE, ROWS, SAMPLES, Route, Sample, Things, routes
from .server import Served, served

TYPES = {TYPE + name for name in (*(kind.name for kind in ERRORS.values()), *OTHERS.values())}
ABSENT = Things("okapi", ABSENT_JOB[:-1] + "0", "bongos", ABSENT_JOB, "drums", "flutes")
"""Nothing bears these names."""


@dataclass
class World:
    """A ledger with two models, one of them hidden from whoever holds a token of the other, and what requests name."""

    server: Served
    things: Things
    hidden: Things
    secrets: tuple[str, ...]
    """What stands of the hidden model in the ledger."""
    walked: list[Route]

    def ask(self, client: httpx.Client, route: Route, things: Things, **changed: Any) -> httpx.Response:
        """A request that the route takes, but for what is changed of it."""
        sample = replace(SAMPLES[f"{route.method} {route.path}"](things), **changed.pop("sample", {}))
        url = changed.pop("url", None) or self.server.url + route.filled(things, sample)
        headers = [*sample.headers.items(), *changed.pop("headers", {}).items(), *changed.pop("more", ())]
        options: dict[str, Any] = {"headers": headers, "params": sample.query}
        if sample.body is not None:
            options["json"] = sample.body
        elif sample.content is not None:
            options["content"] = sample.content
        method = changed.pop("method", route.method)
        return client.request(method, url, **options | changed)


def sample_of(route: Route, things: Things) -> Sample:
    return SAMPLES[f"{route.method} {route.path}"](things)


def filled(server: Served, name: str, suite: str) -> Things:
    """A model with versions, names, a run with a checkpoint, a job, a suite and an evaluation."""
    manager = server.manager
    manager.save_version({"w": np.zeros(3)}, name=name, metrics={"f1": 0.5}, message=f"words of {name}")
    teacher = [f"{name}@main", ("zebra@1", "teacher")] if name != "zebra" else None
    manager.save_version({"w": np.ones(3)}, name=name, parents=teacher, metrics={"f1": 0.6})
    manager.save_version({"w": np.ones(3) * len(name)}, name=name, metrics={"f1": 0.7})
    manager.alias("spare-alias", f"{name}@1")
    manager.tag("spare-tag", f"{name}@1")
    manager.branch("spare-branch", f"{name}@1")
    manager.tag("one", f"{name}@1")
    manager.alias("live", f"{name}@2", reason=f"reason of {name}")
    manager.protect("held", model=name, require="f1 > 0")
    with suppress(InterruptedError), manager.run(name, hyperparameters={"of": f"run of {name}"}) as run:
        run.log({"loss": 0.5}, step=1)
        run.checkpoint({"w": np.zeros(3)}, step=1)
        raise InterruptedError("so that it may be gone on with")
    manager.open_runs.resume(run.id, writer="one")
    job = manager.jobs.offer(name, "s3://bucket/weights", "sha256:" + "0" * 64, pool="nobody").job
    manager.define_suite(suite, "data:loans", model=name, require="mae < 9")
    manager.evaluate_predictions(f"{name}@1", [0.1, 0.9], [0.0, 1.0], task="regression", draws=0, name=f"by {name}")
    chain = manager.chain(
        {"name": f"chain-{suite}", "steps": {"tag": {"kind": "tag", "version": f"{name}@1", "tag": "of-chain"}}}
    )
    search = CreateStudy(study=f"study-{suite}", directions=("maximize",), model=name, search={"metrics": ["f1"]})
    manager._workspace.admit(search, None)
    return Things(name, run.id, suite, job, chain.chain, search.study)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("walk") / "home", limits=Limits(failures=10_000)) as server:
        manager = server.manager
        kept = {"a": [1.0, 2.0, 3.0], "b": [3.0, 4.0, 5.0]}
        manager.add_data("loans", kept, [0.0, 1.0, 0.0], keep=True)
        hidden, things = filled(server, "zebra", "quagga"), filled(server, "credit", "nightly")
        secrets = ("zebra", "quagga", hidden.run, hidden.job, str(manager.show("zebra@3").version.digest))
        walked = routes(api(server.service))
        server.token("read", owner="cleo")
        token = server.manager.create_token("bob", ["read"]).token
        yield World(server, replace(things, token=token), hidden, secrets, walked)


@pytest.fixture(scope="module")
def admin(world: World) -> httpx.Client:
    return world.server.client(world.server.token("admin", owner="root"))


def rows_of(client: httpx.Client) -> str:
    answer = client.post("/rows", content=ROWS, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 201, answer.text
    return answer.json()["rows"]


def is_problem(answer: httpx.Response, *statuses: int) -> bool:
    """Whether an answer is a refusal of one of some statuses, as a problem of a known type."""
    if answer.status_code not in statuses or answer.headers.get("content-type") != MEDIA:
        return False
    if answer.request.method == "HEAD":
        return answer.content == b""
    told = answer.json()
    return told["type"] in TYPES and told["status"] == answer.status_code and len(told["detail"]) > 10


def faults(world: World, answers: Iterator[tuple[Route, httpx.Response]], *statuses: int) -> list[str]:
    """Those that are not refused as they must be; and what was recorded by what is refused."""
    before = world.server.manager.position()
    wrong = [
        f"{route.method} {answer.request.url.raw_path.decode()}: {answer.status_code} {answer.text[:200]}"
        for route, answer in answers
        if not is_problem(answer, *statuses)
    ]
    return wrong + ([] if world.server.manager.position() == before else ["something was recorded"])


def closed(world: World) -> list[Route]:
    """The routes that are not for everybody."""
    return [route for route in world.walked if route.path not in OPEN]


TOKENS = ["none", "unknown", "malformed", "expired", "revoked", "forgotten", "in the address", "of a cookie", "two"]


def bearer(world: World, sort: str) -> dict[str, Any]:
    """What somebody sends who is not to be let in; good tokens where they must not stand among them."""
    manager, good = world.server.manager, world.server.token("admin", owner="root")
    match sort:
        case "none":
            return {}
        case "malformed":
            return {"headers": {"Authorization": f"Basic {good}"}}
        case "in the address":
            return {"url": good}
        case "of a cookie":
            return {"headers": {"Cookie": f"Authorization=Bearer {good}; token={good}"}}
        case "two":
            return {"more": [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]}
        case "expired":
            secret = manager.create_token("eve", ["admin"], expires=timedelta(milliseconds=50)).secret
            until(lambda: manager.holder(str(secret)) is None)
        case "revoked":
            told = manager.create_token("eve", ["admin"])
            secret, _ = told.secret, manager.revoke_token(told.token)
        case "forgotten":
            secret = world.server.token("admin", owner="gone")
            manager.forget_actor("gone")
        case _:
            secret = "lepton_" + "x" * 43
    return {"headers": {"Authorization": f"Bearer {secret}"}}


@pytest.mark.parametrize("sort", TOKENS)
def test_without_a_good_token_no_route_tells_anything(world: World, sort: str) -> None:
    client, sent = world.server.client(), bearer(world, sort)
    query = {"params": {"token": sent.pop("url")}} if "url" in sent else {}

    def asked() -> Iterator[tuple[Route, httpx.Response]]:
        for route in closed(world):
            answer = world.ask(client, route, world.things, **sent, **query)
            assert answer.headers.get("www-authenticate", "").startswith("Bearer")
            yield route, answer

    assert faults(world, asked(), 401) == []


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_alone_opens_the_routes_that_need_it_and_no_others(world: World, scope: str) -> None:
    holds = {"read": {"read"}, "write": {"read", "write"}, "move": {"read", "move"}, "sql": {"sql"}}
    client = world.server.client(world.server.token(scope, owner="root"))
    refused = [
        route
        for route in closed(world)
        if (needed := sample_of(route, world.things).scope) is not None and needed not in holds.get(scope, SCOPES)
    ]
    assert refused or scope == "admin"

    # rows that are not there are looked for only by whoever may judge
    assert faults(world, ((route, world.ask(client, route, world.things)) for route in refused), 403) == []


def test_what_concerns_the_whole_ledger_is_not_for_a_token_of_some_models(world: World) -> None:
    client = world.server.client(world.server.token(*SCOPES, owner="root", models=("cred*",)))
    whole = [route for route in closed(world) if sample_of(route, world.things).whole]

    assert whole
    assert faults(world, ((route, world.ask(client, route, world.things)) for route in whole), 403) == []


def test_a_hidden_model_is_answered_as_one_that_is_not_there(world: World) -> None:
    client = world.server.client(world.server.token("read", "write", "move", owner="bea", models=("credit",)))
    rows, before, wrong = rows_of(client), world.server.manager.position(), list[str]()
    hidden, absent = replace(world.hidden, rows=rows), replace(ABSENT, rows=rows)
    same = [(getattr(hidden, name), getattr(ABSENT, name)) for name in ("model", "run", "suite", "job")]
    for route in closed(world):
        if not {"model", "run", "suite", "job"} & {*route.parts}:
            continue
        answers = [world.ask(client, route, things) for things in (hidden, absent)]
        told, expected = (plainly(answer) for answer in answers)
        for name, other in same:
            told = told.replace(name, other)
        if told != expected:
            wrong.append(f"{route.method} {route.path}: {told[:300]} | {expected[:300]}")
        if (answers[0].is_success and not route.path.endswith("/beat")) or "words of" in told:
            wrong.append(f"{route.method} {route.path}: {answers[0].status_code} {told[:300]}")
    assert wrong == [], "\n".join(wrong)
    assert world.server.manager.position() == before


def plainly(answer: httpx.Response) -> str:
    """An answer but for what differs from one moment to another."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
    return f"{answer.status_code} {json.dumps(headers)} {answer.text}"


@pytest.mark.parametrize("models", ["credit", "another*"])
def test_nothing_of_a_hidden_model_stands_in_any_answer(world: World, models: str) -> None:
    client = world.server.client(world.server.token("read", "write", "move", owner="bea", models=(models,)))
    secrets = world.secrets if models == "credit" else (*world.secrets, "words of", world.things.run, world.things.job)
    things, wrong = replace(world.things, rows=rows_of(client)), list[str]()
    for route in closed(world):
        if route.method != "GET" and not changes_nothing(route):
            continue
        for accept in ("*/*", "application/vnd.lepton.answer+json", "text/markdown, text/html, text/csv"):
            answer = world.ask(client, route, things, headers={"Accept": accept})
            told = plainly(answer)
            if answer.status_code == 500:
                wrong.append(f"{route.method} {route.path}: {told[:300]}")
            asked = str(answer.request.url)
            wrong += [
                f"{route.method} {route.path} {accept}: {secret} in {told[max(0, told.index(secret) - 200) :][:400]}"
                for secret in secrets
                if secret in told and secret not in asked
            ]
    assert wrong == [], "\n".join(wrong)


def changes_nothing(route: Route) -> bool:
    return route.path.rpartition("/")[2] in (
        "compare",
        "pick",
        "rollback-plans",
        "robustness",
        "missing",
        "predictions",
    )


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80"])
def test_under_a_strangers_name_no_route_answers(world: World, admin: httpx.Client, host: str) -> None:
    def asked() -> Iterator[tuple[Route, httpx.Response]]:
        for route in world.walked:
            yield route, world.ask(admin, route, world.things, headers={"Host": host})

    assert faults(world, asked(), 421) == []


def test_a_body_of_another_sort_is_refused(world: World, admin: httpx.Client) -> None:
    def asked() -> Iterator[tuple[Route, httpx.Response]]:
        for route in world.walked:
            sample = sample_of(route, world.things)
            if sample.body is not None or sample.content is not None:
                change: dict[str, Any] = {"body": None, "content": json.dumps(sample.body).encode()}
                change["headers"] = {**ANY_MOVE, "Content-Type": "text/plain"}
                yield route, world.ask(admin, route, world.things, sample=change)

    assert faults(world, asked(), 415) == []


@pytest.mark.parametrize("name", ["actor", "nonsense", "token"])
def test_a_parameter_that_no_route_takes_is_refused(world: World, admin: httpx.Client, name: str) -> None:
    def asked() -> Iterator[tuple[Route, httpx.Response]]:
        for route in world.walked:
            takes_it = (route.path, name) == ("/api/v1/runs", "actor")  # there it is whose runs are listed
            if route.path not in OPEN and "openapi" not in route.path and not takes_it:
                query = {**sample_of(route, world.things).query, name: "eve"}
                yield route, world.ask(admin, route, world.things, params=query)

    assert faults(world, asked(), 400) == []


CROOKED = [
    "..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2f..%2fetc%2fpasswd", "%2F", "%00", "a%00b", "%ff%fe",
    "%C0%AE%C0%AE", "%0d%0aSet-Cookie:%20a=b", "x" * 5000, "%252e%252e", "%E2%80%AE", ".", "%20", "%", "%zz", "..;",
    "-", "~~~", "@", "a@@b", "%3Cscript%3E", "main~99999999999999999999", "main" + "~1" * 2000, "%F0%9F%A6%93",
]  # fmt: skip


@pytest.mark.parametrize("crooked", CROOKED, ids=range(len(CROOKED)))
def test_a_crooked_part_of_an_address_leads_nowhere(world: World, admin: httpx.Client, crooked: str) -> None:
    things, before, wrong = replace(world.things, rows=rows_of(admin)), world.server.manager.position(), list[str]()
    for route in closed(world):
        for part in route.parts:
            sample = sample_of(route, things)
            target = route.filled(things, sample, **{part: crooked})
            answer = world.ask(admin, route, things, extensions={"target": target.encode()})
            if not (is_problem(answer, 400, 404, 405, 409, 422) or is_harmless(route, answer, crooked)):
                wrong.append(f"{route.method} {target[:200]}: {answer.status_code} {answer.text[:200]}")
            if re.search("root:x|Traceback|/tmp/|set-cookie", plainly(answer)):
                wrong.append(f"{route.method} {target[:200]} tells {plainly(answer)[:300]}")
    assert wrong == [], "\n".join(wrong)
    assert world.server.manager.position() == before or crooked in MAKES_NAMES


def is_harmless(route: Route, answer: httpx.Response, crooked: str) -> bool:
    """Whether an answer is right though the address is crooked."""
    if answer.status_code in (401, 413, 421, 500, 503):
        return False
    return crooked in MAKES_NAMES or (route.method == "DELETE" and "actors" in route.path)


MAKES_NAMES = {"-", "%F0%9F%A6%93", "%252e%252e", "%3Cscript%3E", "..;", "@"}
"""What may be a name, odd as it is; `-` stands for the model that a revision names."""


def test_head_is_answered_as_get_and_without_a_body(world: World, admin: httpx.Client) -> None:
    stranger, wrong = world.server.client(), list[str]()
    for route in world.walked:
        if route.method != "GET":
            continue
        head, got = (world.ask(admin, route, world.things, method=method) for method in ("HEAD", "GET"))
        if (head.status_code, head.content) != (got.status_code, b""):
            wrong.append(f"HEAD {route.path}: {head.status_code}, GET {got.status_code}")
        if route.path not in OPEN and not is_problem(world.ask(stranger, route, world.things, method="HEAD"), 401):
            wrong.append(f"HEAD {route.path} of a stranger")
    assert wrong == [], "\n".join(wrong)


def test_answers_stay_with_whoever_asked(world: World, admin: httpx.Client) -> None:
    things, wrong = replace(world.things, rows=rows_of(admin)), list[str]()
    for route in closed(world):
        if route.method == "GET":
            headers = world.ask(admin, route, things).headers
            control, vary = headers.get("cache-control", ""), headers.get("vary", "").lower()
            if not re.search("private|no-store", control) or "authorization" not in vary:
                wrong.append(f"{route.path}: Cache-Control {control!r}, Vary {vary!r}")
            if headers.get("x-content-type-options") != "nosniff":
                wrong.append(f"{route.path} may be taken for something else")
    assert wrong == [], "\n".join(wrong)


def test_every_route_is_walked_and_answers_whoever_may(world: World, admin: httpx.Client) -> None:
    named = {f"{route.method} {route.path}" for route in world.walked}
    assert named == set(SAMPLES), "a route is missing in tests/web/every_route.py, or one there is gone"
    things, wrong = replace(world.things, rows=rows_of(admin)), list[str]()
    order = list(SAMPLES)
    for route in sorted(world.walked, key=lambda each: order.index(f"{each.method} {each.path}")):
        answer = world.ask(admin, route, things)
        if answer.status_code != sample_of(route, things).status:
            wrong.append(f"{route.method} {route.path}: {answer.status_code} {answer.text[:300]}")
    assert wrong == [], "\n".join(wrong)
