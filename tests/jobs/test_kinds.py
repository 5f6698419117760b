"""Kinds of work: each declared once, its payload held to that before a job of it is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from immutables import Map

import lepton_ai
from lepton_ai import ModelManager
from lepton_ai.cli import search
from lepton_ai.domain.job.commands import AssignJob, Ready, SubmitJob
from lepton_ai.domain.job.kinds import KINDS, SEARCH, LogsMetrics, checked_payload, payload_of
from lepton_ai.domain.model.state import ModelState, Ref
from lepton_ai.errors import Malformed
from lepton_ai.workers.task import TASKS

from ..domain.past import START, Past
from ..programs.light_work import LIGHT

TRAINING = {"class": "credit-scoring-model", "label": "default"}
TASK_FILES = Path(lepton_ai.__file__).parent / "workers" / "tasks"


def test_every_file_of_a_kind_declares_one_whose_function_lies_beside_its_payload() -> None:
    files = sorted(path.stem for path in TASK_FILES.glob("[a-z]*.py"))

    declared = {kind: payload.__module__ for kind, payload in KINDS.items() if kind != LIGHT}

    assert sorted(module.rpartition(".")[2] for module in declared.values()) == files
    declared[SEARCH] = search.__name__  # it needs the ledger, which no worker has
    assert {kind: TASKS[kind].__module__ for kind in declared} == declared


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        (
            "distil",
            {},
            "there is no kind of work 'distil'; there are evaluate, light, suite, train, trial, tune, verify",
        ),
        ("train", {"class": "x"}, "payload of kind 'train', label: field required; it takes "),
        ("train", TRAINING | {"lable": "y"}, "payload of kind 'train', lable: extra inputs are not permitted"),
        ("train", TRAINING | {"branch": "no branch"}, "'no branch' cannot name a branch"),
        ("train", TRAINING | {"tags": ["a b"]}, "'a b' cannot name a tag"),
        ("evaluate", {"label": "y", "version": 0}, "payload of kind 'evaluate', version: "),
        ("verify", {"digest": "md5:1"}, "payload of kind 'verify', digest: "),
    ],
)
def test_what_a_kind_is_not_asked_with_is_refused_in_one_sentence(
    kind: str, payload: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Malformed) as refusal:
        Past().decided(SubmitJob(job="j1", kind=kind, model="net", payload=payload))

    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_nothing_is_recorded_of_a_job_whose_payload_is_none(home: Path, tmp_path: Path) -> None:
    manager = ModelManager(home)
    manager.save_version({"w": np.ones(1)}, name="net")
    (tmp_path / "rows.csv").write_text("a,default\n1,0\n")
    before = [event["sequence"] for event in manager.events()]

    with pytest.raises(Malformed, match="'a b' cannot name a tag"):
        manager.jobs.train("credit-scoring-model", str(tmp_path / "rows.csv"), "default", tags=["a b"])

    assert [event["sequence"] for event in manager.events()] == before


def test_what_an_older_or_newer_lepton_asked_with_is_read() -> None:
    payload = payload_of("train", TRAINING | {"schedule": "cosine"})

    assert payload == checked_payload("train", TRAINING)
    with pytest.raises(Malformed, match="branch: input should be a valid string"):
        payload_of("train", TRAINING | {"branch": 5})


def test_a_kind_that_only_its_worker_knows_goes_on_from_its_branchs_head() -> None:
    payload = payload_of("elsewhere", {"branch": "trial", "tags": ["t"], "depth": 3})

    assert (getattr(payload, "branch", None), getattr(payload, "tags", None)) == ("trial", ("t",))
    assert isinstance(payload, LogsMetrics)


def test_a_kind_of_a_users_own_is_submitted_and_assigned_as_leptons_are() -> None:
    past = Past(SubmitJob(job="j1", kind=LIGHT, model="net", payload={"does": "finish"}))

    assigned = past.ask(
        AssignJob(job="j1", ready=(Ready("w", "default", frozenset({LIGHT}), 1),), now=START, within=30)
    )

    assert [append.event.type for append in assigned] == ["lepton.job.assigned.v1"]


def test_a_kind_that_is_declared_elsewhere_works_on_the_version_that_it_names_else_on_the_branch() -> None:
    model = ModelState(name="net", branches=Map(main=Ref("main", 3)))

    assert payload_of("theirs", {"version": 1, "label": "y"}).base(model) == 1
    assert payload_of("theirs", {"label": "y"}).base(model) == 3
