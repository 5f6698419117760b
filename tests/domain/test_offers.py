"""Offers of versions that were trained elsewhere: one append tells of one and has its file looked at, once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from lepton_ai.addresses import checked_source
from lepton_ai.domain.append import Append
from lepton_ai.domain.commands import Archive, CreateBranch, CreateTag, MoveAliases
from lepton_ai.domain.job.commands import AssignJob, FailJob, FinishJob, OfferVersion, Ready, StartJob
from lepton_ai.domain.job.state import JobState
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.domain.outside import command_of
from lepton_ai.errors import Malformed, Refused, UnknownRevision
from lepton_ai.events.inbox import Letter, parsed
from lepton_ai.events.model import ModelRegistered, VersionCommitted
from lepton_ai.events.outside import VersionOffered

from .past import CREDIT, START, Past, digest, saving

FILE = digest("file")
VERIFIER = Ready("w", "default", frozenset({"verify"}), 1)


def offer(**changes: Any) -> OfferVersion:
    asked: dict[str, Any] = {"job": "o1", "model": "credit", "source": "sealed:s", "digest": FILE, "recipe": Recipe()}
    return OfferVersion(**(asked | changes))


def told(**changes: Any) -> OfferVersion:
    """The command that an outside event asks for."""
    event = {"id": "1", "source": "/lab", "subject": "model/credit", "data": {"source": "/m.st", "digest": FILE}}
    whole = {"specversion": "1.0", "type": VersionOffered.type_name(), **event, **changes}
    outside = parsed(Letter(0, json.dumps(whole).encode()))
    return cast(OfferVersion, command_of(outside, f"pseudonym of {outside.source}"))


def test_one_append_tells_of_the_offer_and_asks_for_a_look_at_its_file() -> None:
    recipe = Recipe({"lr": 0.1}, {"class": "net"}, {"epochs": 2}, {"rows": 9})

    asked = offer(recipe=recipe, metrics={"f1": 0.5}, tags=("lab-7",), message="sealed:m")
    offered, submitted = Past().ask(asked)

    said = {"digest": FILE, "branch": "main", "hyperparameters": {"lr": 0.1}, "architecture": {"class": "net"}}
    said |= {"settings": {"epochs": 2}, "data": {"rows": 9}, "metrics": {"f1": 0.5}, "tags": ["lab-7"]}
    assert offered == Append(
        CREDIT, VersionOffered.model_validate(said | {"source": "sealed:s", "message": "sealed:m"})
    )
    assert submitted.stream == "job/o1"
    job = submitted.event.model_dump()
    assert (job["kind"], job["payload"], job["source"], job["message"]) == ("verify", said, "sealed:s", "sealed:m")


def test_the_example_that_the_docs_give_is_an_offer() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kafka.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)

    command = command_of(parsed(Letter(0, example.encode())), "somebody")

    assert isinstance(command, OfferVersion)
    assert Past().decided(command)


def test_who_may_look_at_it_and_what_that_may_take_is_the_jobs_and_not_told_of_the_version() -> None:
    allowed = {"pool": "eu", "needs": ("cpu",), "memory": 1 << 30, "seconds": 60.0, "retries": 1}

    offered, submitted = Past().ask(offer(**allowed))

    assert {name: getattr(submitted.event, name) for name in allowed} == allowed
    assert offered.event == Past().ask(offer())[0].event
    for wrong, words in (({"pool": ""}, "cannot name a pool"), ({"retries": -1}, "no fewer than 0 retries")):
        with pytest.raises(Malformed, match=words):
            Past().decided(offer(**wrong))


def test_a_model_that_nobody_knew_is_registered_with_its_first_version_and_not_by_an_offer() -> None:
    past = Past(offer(), offer(job="o2"))
    for job in ("o1", "o2"):
        past.ask(AssignJob(job=job, ready=(VERIFIER,), now=START, within=30))
    known = [past.credit.registered]
    past.ask(FailJob(job="o1", epoch=1, error="Malformed", again=False, now=START, pause=5))
    known.append(past.credit.registered)
    with pytest.raises(UnknownRevision, match="there is no model 'credit'"):
        past.decided(Archive(model="credit"))

    registered, committed, _ = past.ask(FinishJob(job="o2", epoch=1, made=saving(1)))

    assert known == [False, False]
    assert registered == Append(CREDIT, ModelRegistered(model="credit"))
    assert isinstance(committed.event, VersionCommitted)
    assert past.credit == past.replayed(CREDIT)


def test_an_offer_decided_twice_is_one() -> None:
    past = Past(offer())

    assert past.decided(offer()) == ()
    assert cast(JobState, past.state("job/o1")) == past.replayed("job/o1")
    assert past.credit == past.replayed(CREDIT)


def test_the_job_is_named_by_the_event_that_asked_for_it() -> None:
    assert told() == told()
    others = told(id="2"), told(source="/lab 1", id="1"), told(source="/lab", id="1 1")
    assert len({each.job for each in (told(), *others)}) == 4


def test_a_version_that_was_looked_at_is_committed_with_the_end_of_its_job() -> None:
    past = Past(saving(1), offer())
    past.ask(AssignJob(job="o1", ready=(VERIFIER,), now=START, within=30))
    past.ask(StartJob(job="o1", epoch=1))

    committed, finished = past.ask(FinishJob(job="o1", epoch=1, made=saving(2)))

    assert isinstance(committed.event, VersionCommitted)
    assert [parent.version for parent in committed.event.parents] == [1]
    assert finished.stream == "job/o1"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"branch": "wide"}, "credit has no branch 'wide'"),
        ({"branch": "production"}, "is an alias of credit"),
        ({"branch": "../main"}, "cannot name a branch"),
        ({"tags": ("v1",)}, "is on version 1 already"),
        ({"metrics": {"f1": "high"}}, "one real number"),
        ({"recipe": Recipe(settings={"n": object()})}, "settings.n is an object"),
        ({"model": ".."}, "cannot name a model"),
    ],
)
def test_what_would_be_refused_whatever_the_file_holds_is_refused_at_once(
    changes: dict[str, Any], complaint: str
) -> None:
    past = Past(saving(1), CreateTag(model="credit", tag="v1", version=1), saving(2, 1))
    past.ask(MoveAliases(model="credit", to={"production": 1}))

    with pytest.raises(Refused, match=complaint):
        past.decided(offer(**changes))


def test_an_archived_model_takes_no_offer_and_an_open_branch_does() -> None:
    past = Past(saving(1), CreateBranch(model="credit", branch="wide", version=1))

    assert past.decided(offer(branch="wide"))
    past.ask(Archive(model="credit"))
    with pytest.raises(Refused, match="is archived"):
        past.decided(offer())


@pytest.mark.parametrize(
    "source",
    ["/data/m.safetensors", "/a b?c#d@e", "file:///m.st", "file://localhost/m", "s3://b/k", "gs://b/a/b", "az://c/k"],
)
def test_an_address_of_a_file_is_taken(source: str) -> None:
    assert checked_source(source) == source


NO_ADDRESS = """
    m.st ../m.st / file:m.st file://host/m http://h/m ftp://h/m s3://b s3:///k s3://[ x
    s3://user:secret@b/k s3://b/k?sig=secret file:///m#secret
"""


@pytest.mark.parametrize("source", ["", *NO_ADDRESS.split()])
def test_what_is_no_address_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(Malformed, match="source") as refused:
        checked_source(source)

    assert "secret" not in str(refused.value)
