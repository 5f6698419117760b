"""The form that asks for work: of the API's own fields, by the API's own rules, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import numpy as np
import pytest

from lepton_ai.errors import Malformed
from lepton_ai.web.pages.new_job.fields import KINDS, fields_of, request_from

from ...asking import PATIENCE
from ..server import Served, served
from .attempts import with_loans

FORM = {"kind": "train", "class": "credit-scoring-model", "model": "risk", "data": "loans", "key": "form-1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with with_loans(tmp_path_factory.mktemp("new")) as server:
        yield server


@pytest.fixture(scope="module")
def http(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_all_fields_of_its_request(http: httpx.Client, kind: str) -> None:
    page = http.get(f"/jobs/new?kind={kind}").text

    named = set(re.findall(r' name="([\w.]+)"', page)) | {"hyperparameters", "class"}
    assert {each.name for each in fields_of(kind)} <= named
    assert http.get(f"/jobs/new.json?kind={kind}").json()["kind"] == kind
    assert "lepton worker" in page


def test_a_form_asks_once_for_what_differs_from_the_defaults(server: Served, http: httpx.Client) -> None:
    said = FORM | {
        "hyperparameters.epochs": "3", "hyperparameters.seed": "0", "hyperparameters.hidden": "[8, 8]",
        "tags": "a, b", "message": "<b>", "types": "kind=category", "branch": "main",
    }  # fmt: skip
    answers = [http.post("/jobs/new", data=said) for _ in range(2)]

    (place,) = {each.headers["location"] for each in answers}
    asked = http.get(f"{place}.json").json()
    assert asked["asked"]["hyperparameters"] == {"epochs": 3, "hidden": [8, 8]}
    assert (asked["asked"]["tags"], asked["asked"]["types"]) == (["a", "b"], {"kind": "category"})
    assert (asked["asked"]["label"], asked["message"], asked["status"]) == ("default", "<b>", "queued")
    assert "lepton worker" in http.get(place).text


@pytest.mark.parametrize(
    ("said", "status", "word"),
    [
        ({"hyperparameters.epochs": "none"}, 400, "epochs"),
        ({"hyperparameters.epochs": "0"}, 400, "epochs"),
        ({"model": ""}, 400, "model"),
        ({"data": ""}, 400, "data"),
        ({"model": "no name!"}, 400, "no name!"),
        ({"retries": "many"}, 400, "retries"),
        ({"types": "kind"}, 400, "name=value"),
        ({"class": "nobody"}, 409, "nobody"),
        ({"branch": "a b"}, 400, "a b"),
        ({"tags": "a\x00b"}, 400, "cannot name a tag"),
        ({"pool": "gpu\x00"}, 400, "cannot name a pool"),
        ({"pool": "x" * 101}, 400, "cannot name a pool"),
        ({"pool": "gpu; reboot"}, 400, "cannot name a pool"),
        ({"needs": "cu\x00da"}, 400, "nothing that a worker announces"),
        ({"needs": "cuda " * 101}, 400, "at most 100"),
        ({"kind": "evaluate", "version": ""}, 400, "version"),
        ({"kind": "evaluate", "version": "9"}, 404, "risk"),
    ],
)
def test_what_is_refused_comes_back_as_it_was_typed(
    server: Served, http: httpx.Client, said: dict[str, str], status: int, word: str
) -> None:
    end = server.manager.position()
    answer = http.post("/jobs/new", data={**FORM, "key": "", "message": 'half a "sentence"', **said})

    assert answer.status_code == status, answer.text
    (alert,) = re.findall(r'role="alert"[^>]*>([^<]+)<', answer.text)
    assert word in unescape(alert)
    if said.get("kind", "train") == "train":
        assert "half a &#34;sentence&#34;" in answer.text
    assert server.manager.position() == end


def test_every_door_says_the_same_of_a_pool(server: Served, http: httpx.Client) -> None:
    asked = {"kind": "train", "class": "credit-scoring-model", "model": "risk", "data": "loans", "pool": "a\x00"}
    with pytest.raises(Malformed) as refused:
        server.manager.jobs.train(asked["class"], "loans", name="risk", pool=asked["pool"])
    of_api = http.post("/api/v1/jobs", json=asked)
    of_form = http.post("/jobs/new", data=FORM | asked | {"key": ""})

    assert (of_api.status_code, of_form.status_code) == (400, 400)
    assert refused.value.fact in of_api.text.encode().decode("unicode_escape")
    assert refused.value.fact in unescape(of_form.text)


def test_the_command_that_starts_a_worker_is_whole_and_tells_no_stranger_where_the_ledger_lies(
    tmp_path: Path,
) -> None:
    home = tmp_path / "the home"
    with served(home, works=False) as server:
        server.manager.save_version({"w": np.zeros(1)}, name="risk")
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as user:
            own = user.get("/jobs/new?pool=gpu").text
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as other:
            other.headers["Authorization"] = f"Bearer {server.token('write')}"
            of_writer = other.get("/jobs/new").text

    assert f"<code>lepton worker --home '{home}' --pool gpu</code>" in unescape(own)
    assert "<code>lepton worker</code>" in of_writer
    assert str(tmp_path) not in of_writer


def test_a_kind_that_nobody_knows_has_no_form(http: httpx.Client) -> None:
    assert http.get("/jobs/new?kind=dance").status_code == 400
    assert http.post("/jobs/new", data={"kind": "dance"}).status_code == 400
    assert http.post("/jobs/new?at=1", data=FORM).status_code == 400


def test_files_and_models_of_others_are_not_for_everybody(server: Served) -> None:
    writer = server.token("write", owner="wanda", models=("risk*",))
    reader = server.token("read", owner="ron")
    try:
        end = server.manager.position()
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {writer}"}) as wanda:
            form = wanda.get("/jobs/new").text
            assert ('name="validation"' in form, "kind=verify" in form) == (False, False)
            assert wanda.get("/jobs/new?kind=verify").status_code == 400
            for said in ({"data": "/etc/passwd"}, {"validation": "file:///etc/passwd"}, {"model": "other"}):
                assert wanda.post("/jobs/new", data=FORM | {"key": ""} | said).status_code in (400, 403, 404), said
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {reader}"}) as ron:
            assert ron.post("/jobs/new", data=FORM | {"key": "other"}).status_code == 403
            assert "/jobs/new" not in ron.get("/jobs").text
        assert server.manager.position() == end
    finally:
        for token in server.manager.tokens():
            server.manager.revoke_token(token.token)


def test_numbers_boxes_and_pairs_are_read_as_the_request_has_them() -> None:
    told = {"model": "m", "version": "3", "data": "d", "draws": "10", "costs": "fn=5\nfp=1", "level": ""}
    boxes = {"stratified": "1", "keep_outcomes": "0"}  # a box that is not ticked leaves the hidden field before it

    asked = request_from("evaluate", told | boxes).model_dump(exclude_unset=True)
    assert (asked["draws"], asked["stratified"], asked["costs"]) == (10, True, {"fn": 5, "fp": 1})
    assert asked["keep_outcomes"] is False
    assert "level" not in asked
    assert "keep_outcomes" not in request_from("evaluate", told).model_dump(exclude_unset=True)
