"""Versions that were trained elsewhere: told by a service, looked at by a worker, committed or refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import obstore
import pytest
import torch
from obstore.store import S3Store
from safetensors.torch import save

from lepton_ai import ModelManager
from lepton_ai.domain.job.state import ENDED, JobState
from lepton_ai.errors import Refused
from lepton_ai.events.inbox import Letter
from lepton_ai.events.sql.audit import verify
from lepton_ai.jobs.intake.inbox import Answer, Intake
from lepton_ai.jobs.record import JobRecord
from lepton_ai.ledger import Receipt
from lepton_ai.models import CreditScoringModel
from lepton_ai.models.state import tensors_of
from lepton_ai.settings import load

from ..asking import until
from ..cli_home import Cli, loans

WORKER = [sys.executable, "-c", "from lepton_ai.cli import main; main()", "worker", "--once"]
LONG = 120.0
OF_EVERY_SORT = {
    "half": torch.tensor([1.5, -0.0, float("nan")]).to(torch.bfloat16),
    "eighth": torch.arange(5.0).to(torch.float8_e4m3fn),
    "whole": torch.tensor(7),
    "none": torch.zeros(0, 3),
    "rotated": torch.tensor([1 + 2j]),
    "flags": torch.tensor([True, False]),
    "large": torch.linspace(-1, 1, 300_000),
}


class Lab:
    """A service that trains elsewhere: puts files into a folder, and offers them to a ledger beside it."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.manager = ModelManager(home, actor="ada")
        workspace = self.manager._home.workspace
        self.intake = Intake(workspace.ledger, workspace.actors, "inbox", offers=load(home).offers)

    def file(self, name: str, content: bytes | dict[str, torch.Tensor]) -> Path:
        """A file of the lab's."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else save(content))
        return path

    def tell(self, path: Path | str, *, id: str = "1", subject: str = "model/net", **data: Any) -> Answer:
        """Offer a file, under the digest that it has unless another is said."""
        if isinstance(path, Path) and path.is_file():
            data.setdefault("digest", digest(path.read_bytes()))
        event = {
            "specversion": "1.0",
            "id": id,
            "source": "/lab/eu",
            "type": "lepton.version.offered.v1",
            "subject": subject,
            "data": {name: value for name, value in ({"source": str(path)} | data).items() if value is not None},
        }
        place = self.intake.position()
        (answer,) = self.intake.take([Letter(place or 0, json.dumps(event).encode())], place)
        return answer

    def offer(self, path: Path | str, **told: Any) -> str:
        """Offer a file that the intake takes: the job that looks at it."""
        answer = self.tell(path, **told)
        assert isinstance(answer, Receipt), answer
        return answer.events[-1].stream.removeprefix("job/")

    def looked_at(self, job: str) -> JobRecord:
        """A job, once a worker in this process has done all that there was to do."""
        desk = self.manager._home.desk
        with desk.assigning(), desk.work("default"):
            until(lambda: all(each.status in ENDED for each in self.manager.jobs.recent()), LONG)
        return self.manager.jobs.show(job)

    def looked_at_elsewhere(self, job: str) -> JobRecord:
        """A job, once a `lepton worker` of its own has done all that there was to do."""
        environment = os.environ | {"PYTHONSAFEPATH": "1", "LEPTON_HOME": str(self.home)}
        subprocess.run(WORKER, env=environment, check=True, timeout=LONG, capture_output=True)
        return self.manager.jobs.show(job)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def bits(tensors: Any) -> dict[str, Any]:
    """What tensors are, to the last bit."""
    return {name: (each.dtype, each.shape, each.raw().tobytes()) for name, each in tensors_of(tensors).items()}


def safetensors(header: Any, body: bytes = b"") -> bytes:
    """A file of that header and body."""
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


@pytest.fixture
def lab(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("LEPTON_TERM_PAUSE", "0.1")
    folder = tmp_path / "outbound-lab-files"
    folder.mkdir()
    monkeypatch.setenv("LEPTON_OFFERS_FROM", f"{folder.as_uri()} s3://")
    lab = Lab(home, folder)
    yield lab
    lab.manager.close()


def test_an_offered_version_is_committed_as_its_file_has_it_with_all_that_was_told(lab: Lab) -> None:
    told = {
        "hyperparameters": {"lr": 0.1},
        "architecture": {"class": ["somebody", "else's"]},
        "settings": {"epochs": 3},
        "data": {"digest": "blake3:1", "rows": 9},
        "metrics": {"f1": 0.5, "yield": 3.0},
        "tags": ["lab-7"],
        "message": "from the lab of Grace",
    }
    judged = {"validation": {"digest": "blake3:2", "rows": 5}, "task": "binary", "better": {"yield": "higher"}}

    job = lab.looked_at_elsewhere(lab.offer(lab.file("first.safetensors", OF_EVERY_SORT), **told, **judged))

    assert (job.status, job.kind, job.version) == ("finished", "verify", 1), job.reason
    assert job.figures == {"tensors": len(OF_EVERY_SORT), "parameters": 300_012}
    assert bits(lab.manager.load_tensors("net@lab-7")) == bits(OF_EVERY_SORT)
    shown = lab.manager.show("net@1")
    assert lab.manager.models() == ["net"]
    assert {name: getattr(shown, name) for name in told} == told | {"tags": ("lab-7",)}
    assert shown.branches == ("main",)
    assert shown.rows == dict.fromkeys(told["metrics"], judged["validation"])
    assert lab.manager.about("net").better == judged["better"]
    assert {each["task"] for each in lab.manager.sql("SELECT task FROM metrics").to_pylist()} == {"binary"}
    assert lab.manager.sql("SELECT kind, status, version, payload ->> 'digest' AS digest FROM jobs").to_pylist() == [
        {"kind": "verify", "status": "finished", "version": 1, "digest": digest(save(OF_EVERY_SORT))}
    ]
    assert lab.manager.fsck() == []


def test_what_goes_on_from_the_head_is_kept_as_a_difference_from_it(lab: Lab) -> None:
    weights = {"w": torch.randn(400, 400, generator=torch.Generator().manual_seed(1))}
    lab.manager.save_version(weights, name="net")
    stepped = {"w": weights["w"] * (1 + 2**-20)}

    job = lab.looked_at(lab.offer(lab.file("second.safetensors", stepped)))

    shown = lab.manager.show("net@2")
    assert job.version is not None
    assert job.version.parents == ((1, "trained"),)
    assert shown.delta is not None
    assert shown.delta["bytes"] < 400 * 400 * 3
    assert bits(lab.manager.load_tensors("net@2")) == bits(stepped)


def test_an_offer_told_again_makes_one_job_and_one_version(lab: Lab) -> None:
    path = lab.file("m.safetensors", OF_EVERY_SORT)
    job = lab.offer(path)
    again = lab.tell(path)
    lab.looked_at(job)
    late = lab.tell(path)
    other = lab.tell(path, tags=["other"])

    assert [isinstance(each, Receipt) and each.repeated for each in (again, late)] == [True, True]
    assert "was used for another event" in str(other)
    assert [each.job for each in lab.manager.jobs.recent()] == [job]
    assert lab.manager.sql("SELECT version FROM versions").to_pylist() == [{"version": 1}]


def test_the_same_file_offered_again_makes_no_new_version_and_adds_what_is_new_about_it(lab: Lab) -> None:
    path = lab.file("m.safetensors", OF_EVERY_SORT)
    lab.offer(path)
    job = lab.looked_at(lab.offer(path, id="2", tags=["again"], metrics={"f1": 0.5}))

    assert (job.status, job.version) == ("finished", 1)
    assert (lab.manager.show("net@1").tags, lab.manager.show("net@1").metrics) == (("again",), {"f1": 0.5})


def test_where_the_file_lies_and_what_was_said_of_it_stand_nowhere_in_the_ledger(lab: Lab) -> None:
    path = lab.file("m.safetensors", OF_EVERY_SORT)
    good = lab.offer(path, message="for Grace Hopper")
    bad = lab.looked_at(lab.offer(path, id="2", digest=digest(b"")))

    assert lab.manager.jobs.show(good).message == "for Grace Hopper"
    assert bad.status == "failed"
    secrets = ("outbound-lab-files", "Hopper")
    assert not [event for event in lab.manager.events(opened=False) for word in secrets if word in json.dumps(event)]
    assert verify(lab.manager._workspace.ledger.store).size > 0
    lab.manager.close()  # which empties SQLite's write-ahead log
    stored = [path for path in lab.home.rglob("*") if path.is_file()]
    assert not [path for path in stored for word in secrets if word.encode() in path.read_bytes()]


def test_a_file_that_is_not_what_was_said_is_refused_with_its_reason(lab: Lab) -> None:
    other = {"w": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}}
    offers: dict[str, tuple[Path | str, dict[str, Any]]] = {
        f"another digest than {digest(b'')}": (lab.file("other.safetensors", OF_EVERY_SORT), {"digest": digest(b"")}),
        "cannot be read as safetensors": (lab.file("pickle.safetensors", b"\x80\x04K\x01."), {}),
        "holds no tensor": (lab.file("bare.safetensors", {}), {}),
        "dtype F6_E2M3, which Lepton does not keep": (lab.file("six.safetensors", safetensors(other, b"abc")), {}),
        "1 to 4096 characters": (lab.file("nameless.safetensors", {"": torch.ones(1)}), {}),
        "there is no file 'away.safetensors'": (lab.folder / "away.safetensors", {"digest": digest(b"")}),
        "there is no file 'outbound-lab-files'": (lab.folder, {"digest": digest(b"")}),
    }
    jobs = {
        complaint: lab.offer(path, id=complaint, message="try it", **told) for complaint, (path, told) in offers.items()
    }
    lab.looked_at(next(iter(jobs.values())))

    for complaint, name in jobs.items():
        job = lab.manager.jobs.show(name)
        assert (job.status, job.epoch, job.version) == ("failed", 1, None)
        assert re.search(complaint, job.reason)
        assert str(lab.folder) not in job.reason
    assert lab.manager.sql("SELECT count(*) AS n FROM versions").to_pylist() == [{"n": 0}]
    assert Cli(lab.home)("jobs").out.count("verify") == len(jobs)
    assert "holds no tensor" in Cli(lab.home)(f"logs {jobs['holds no tensor']}").out
    assert [Cli(lab.home)(words).code for words in ("models", "fsck", "verify")] == [0, 0, 0]
    assert lab.manager.models() == lab.manager.sql("SELECT model FROM models").to_pylist() == []
    assert Cli(lab.home)("log --model net").err == "lepton: there is no model 'net'; this ledger holds none\n"


def test_what_names_one_of_leptons_own_classes_must_fill_it(lab: Lab, tmp_path: Path) -> None:
    rows, labels = loans(tmp_path / "loans.csv")
    model = CreditScoringModel()
    for name, value in {"epochs": 2, "members": 1, "hidden": [4]}.items():
        model.add_hyperparameter(name, value)
    model.train(rows, labels)
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    fits = {"architecture": model.architecture(), "hyperparameters": model.hyperparameters}
    wider = {"architecture": model.architecture() | {"config": model.architecture()["config"] | {"hidden": [5]}}}
    path = lab.file("credit.safetensors", state)
    lacking = lab.file("lacking.safetensors", {name: value for name, value in state.items() if "bias" not in name})

    good = lab.offer(path, id="1", subject="model/credit", **fits)
    wide = lab.offer(path, id="2", subject="model/credit", **wider)
    less = lab.offer(lacking, id="3", subject="model/credit", **fits)
    lab.looked_at(good)

    assert lab.manager.jobs.show(good).version == 1
    assert "the tensors do not fit the module" in lab.manager.jobs.show(wide).reason
    assert "missing" in lab.manager.jobs.show(less).reason
    loaded = lab.manager.load_version("credit@1")
    assert np.array_equal(loaded.predict_proba(rows), model.predict_proba(rows))


def test_a_file_is_fetched_from_a_bucket_under_any_key(lab: Lab, s3: str) -> None:
    bucket, _, prefix = s3.removeprefix("s3://").partition("/")
    store, raw = S3Store(bucket, client_options={"allow_http": True}), save(OF_EVERY_SORT)
    key = f"{prefix}/run=3/the best.safetensors"
    obstore.put(store, key, raw)

    name = lab.offer(f"s3://{bucket}/{key}", digest=digest(raw))
    gone = lab.offer(f"s3://{bucket}/{key}.gone", id="2", digest=digest(raw))
    job = lab.looked_at(name)

    assert (job.status, job.version) == ("finished", 1)
    assert bits(lab.manager.load_tensors("net@1")) == bits(OF_EVERY_SORT)
    assert lab.manager.jobs.show(gone).reason.startswith("there is no object 'the best.safetensors.gone'")


def test_a_store_that_is_away_is_tried_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT": "http://127.0.0.1:9", "ALLOW_HTTP": "true", "ACCESS_KEY_ID": "a"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

    job = lab.looked_at(lab.offer("s3://somewhere/m.safetensors", digest=digest(b"")))

    assert (job.status, job.epoch, job.error) == ("failed", 4, "Unavailable")
    assert job.reason.startswith("m.safetensors cannot be reached")


def test_an_offer_by_the_sdk_is_the_same_job_under_its_key(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lab.file("mine.safetensors", OF_EVERY_SORT)
    monkeypatch.chdir(lab.folder)
    offers = [
        lab.manager.jobs.offer(
            "net",
            "mine.safetensors",
            digest(path.read_bytes()),
            metrics={"f1": 0.5},
            validation=([[1.0], [2.0]], [0, 1]),
            task="binary",
            better={"yield": "lower"},
            key="nightly",
            pool="eu",
        )
        for _ in range(2)
    ]

    job = lab.manager.jobs.wait(offers[0].job)

    assert offers[0].job == offers[1].job
    assert job.pool == "eu"
    assert (job.status, job.version) == ("finished", 1)
    assert lab.manager.show("net@1").actor == "ada"
    assert lab.manager.show("net@1").rows["f1"]["rows"] == 2
    assert lab.manager.about("net").better == {"yield": "lower"}
    with pytest.raises(Refused, match="already used for another command"):
        lab.manager.jobs.offer("net", "/other.safetensors", digest(b""), key="nightly")
    with pytest.raises(Refused, match="cannot hold 'digest'"):
        lab.manager.jobs.offer("net", "/other.safetensors", "sha256:12")


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"subject": "model/../x"}, "cannot name a model"),
        ({"subject": "run/x"}, "belong to model/"),
        ({"digest": "sha256:12"}, "digest: string should match pattern"),
        ({"digest": f"blake3:{'0' * 64}"}, "digest: string should match pattern"),
        ({"digest": None}, "digest: field required"),
        ({"source": None}, "source: field required"),
        ({"source": "http://lab/m.safetensors"}, "source names no file"),
        ({"source": "s3://ada:hunter2@bucket/m"}, "source holds more than a place"),
        ({"source": "https://169.254.169.254/latest/meta-data"}, "source names no file"),
        ({"source": "s3://169.254.169.254/latest/meta-data"}, "source names no bucket"),
        ({"source": "s3://127.0.0.1:9000/m"}, "source names no bucket"),
        ({"source": "s3://[fe80::1]/m"}, "source names no"),
        ({"source": "s3://bucket/../other/m"}, "source leads elsewhere"),
        ({"source": "s3://bucket/%2e%2e/m"}, "source leads elsewhere"),
        ({"source": "s3://bucket/m%00"}, "source leads elsewhere"),
        ({"source": "gs://bucket/m"}, "source lies where no offer may"),
        ({"source": "file:///etc/passwd"}, "source lies where no offer may"),
        ({"source": "/etc/passwd"}, "source lies where no offer may"),
        ({"source": "file://lab/etc/passwd"}, "source names no file"),
        ({"source": "ftp://lab/m"}, "source names no file"),
        ({"source": "/" + "x" * 3000}, "source is no address"),
        ({"hyperparmeters": {"lr": 1}}, "has no field 'hyperparmeters'; it has source, digest, branch"),
        ({"metrics": {"f1": "much"}}, "metrics.f1: input should be"),
        ({"better": {"f1": "more"}}, "better.f1: input should be 'higher' or 'lower'"),
        ({"tags": ["no tag"]}, "cannot name a tag"),
        ({"branch": "a..b"}, "cannot name a branch"),
        ({"message": 7}, "message: input should be a valid string"),
    ],
)
def test_what_breaks_a_rule_is_kept_with_its_reason(lab: Lab, told: dict[str, Any], complaint: str) -> None:
    answer = lab.tell(lab.folder / "m.safetensors", **({"digest": digest(b"")} | told))

    assert isinstance(answer, Refused)
    assert complaint in str(answer)
    assert "hunter2" not in str(answer)
    ((_, rejected, _),) = lab.manager._workspace.ledger.store.rejected()
    assert rejected.reason == str(answer)
    assert lab.manager.jobs.recent() == []


def test_whoever_offers_chooses_neither_the_workers_nor_what_they_spend(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POOL": "offers", "SECONDS": "50", "MEMORY": "1000000000", "AT_ONCE": "1"}.items():
        monkeypatch.setenv(f"LEPTON_OFFERS_{name}", value)
    lab.intake = Intake(
        lab.manager._workspace.ledger, lab.manager._workspace.actors, "inbox", offers=load(lab.home).offers
    )
    job = lab.offer(lab.file("m.safetensors", OF_EVERY_SORT))

    told = lab.manager.sql("SELECT pool, payload ->> 'limits' AS limits FROM jobs").to_pylist()

    assert told[0]["pool"] == "offers"
    assert json.loads(told[0]["limits"])["tensors"] == 100_000
    state = cast(JobState, lab.manager._workspace.ledger.state(f"job/{job}"))
    assert (state.seconds, state.memory) == (50, 10**9)


BOUNDS = {
    "LEPTON_OFFERS_BYTES": "1000",
    "LEPTON_OFFERS_TENSORS": "3",
    "LEPTON_OFFERS_ELEMENTS": "100",
}


def test_an_offered_file_is_held_to_its_bounds(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {
        "bytes of the 1,000": {"w": torch.zeros(2000)},
        "holds 4 tensors of the 3": {f"w{n}": torch.zeros(1) for n in range(4)},
        "holds 101 numbers of the 100": {"w": torch.zeros(101, dtype=torch.bool)},
        "a shape that no memory has": {"w": torch.zeros(0, 1 << 41)},
    }
    for name, value in BOUNDS.items():
        monkeypatch.setenv(name, value)
    jobs = {
        complaint: lab.offer(lab.file(f"{n}.safetensors", content), id=complaint)
        for n, (complaint, content) in enumerate(contents.items())
    }

    lab.looked_at(next(iter(jobs.values())))

    for complaint, name in jobs.items():
        job = lab.manager.jobs.show(name)
        assert (job.status, job.version) == ("failed", None)
        assert complaint in job.reason


def test_no_link_leads_an_offer_out_of_its_folder(lab: Lab, tmp_path: Path) -> None:
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(save(OF_EVERY_SORT))
    (lab.folder / "link.safetensors").symlink_to(outside)
    (lab.folder / "folder").symlink_to(tmp_path)
    (lab.folder / "own.safetensors").symlink_to(lab.file("m.safetensors", OF_EVERY_SORT))
    os.mkfifo(lab.folder / "pipe.safetensors")
    told = {"digest": digest(save(OF_EVERY_SORT))}
    names = ("link.safetensors", "folder/outside.safetensors", "pipe.safetensors", "own.safetensors")
    jobs = [lab.offer(lab.folder / name, id=name, **told) for name in names]

    lab.looked_at(jobs[0])

    reasons = [lab.manager.jobs.show(job).reason for job in jobs]
    assert [("where no offer may" in each, "no file" in each) for each in reasons] == [
        (True, False), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert lab.manager.jobs.show(jobs[3]).status == "finished"


def test_an_architecture_is_compared_before_memory_is_taken(lab: Lab) -> None:
    config = {"columns": [{"name": "a", "type": "number"}], "flagged": [], "hidden": [1 << 20, 1 << 20], "levels": []}
    giant = {"class": "credit-scoring-model", "config": config | {"members": 1024}}

    job = lab.looked_at(lab.offer(lab.file("m.safetensors", OF_EVERY_SORT), architecture=giant))

    assert (job.status, job.error) == ("failed", "Malformed")
    assert "do not fit the module" in job.reason
    assert "nothing was built" in job.reason


def test_a_refused_offer_that_is_tried_again_becomes_one_job(lab: Lab) -> None:
    lab.manager.save_version({"w": np.ones(3)}, name="net")
    refused = lab.tell(lab.file("m.safetensors", OF_EVERY_SORT), branch="wide")
    lab.manager.branch("wide", "net@1")

    answer = lab.intake.retry(1)

    assert "has no branch 'wide'" in str(refused)
    assert isinstance(answer, Receipt)
    assert lab.looked_at(answer.events[-1].stream.removeprefix("job/")).version == 2
    assert lab.manager.show("net@wide").branches == ("wide",)
