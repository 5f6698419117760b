"""Every kind of write that the API takes, each once, on things of its own in a ledger that is ready for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from lepton_ai import ModelManager
from lepton_ai.tensors.digest import digest_of
from lepton_ai.tensors.frames import MEDIA, head
from lepton_ai.tensors.manifest import describe
from lepton_ai.tensors.tensor import Array

from ..cli_home import loans

Json = dict[str, Any]
CSV: Final = "".join(["truth,said\n", *(f"{n % 2},{(n % 3) % 2}\n" for n in range(60))])
TOLD: Final = ("ETag", "Lepton-Seq", "Location")
"""The headers of an answer that are the same whenever it is given."""
_PASSING: Final = re.compile(rb',"(heard|secret)":("[^"]*"|null)')
"""A token's secret, which is in its first answer alone, and when a run was heard of last."""
_DRAWN: Final = re.compile(r"(?<=job/).*|(?<=token/).*")
"""Ids that are drawn."""
ANY: Final = {"If-Match": "*"}
_CONTENT: Final = b"what the run saw"
SENT: Final = {"name": "seen.txt", "content": {"digest": digest_of(_CONTENT), "chunks": [digest_of(_CONTENT)]}}
"""A file of a run, and below the chunk of which it is made."""
FRAME: Final = head(digest_of(_CONTENT), len(_CONTENT)) + _CONTENT


@dataclass(frozen=True)
class Write:
    """A write: what is sent, and what is uploaded before it."""

    method: str
    path: str
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chunks: bytes = b""

    def send(self, http: httpx.Client, key: str) -> httpx.Response:
        """Send it under a key; first what it stands on, which is taken away once it was saved."""
        if self.chunks:
            uploaded = http.post("/models/net/chunks", content=self.chunks, headers={"Content-Type": MEDIA})
            if uploaded.status_code != 200:
                return uploaded
        headers = {"Idempotency-Key": key, **self.headers}
        return http.request(self.method, self.path, json=self.body, headers=headers)


@dataclass(frozen=True)
class Tensors:
    """Tensors as a client uploads them: frames of chunks, and the manifest that names them."""

    value: float

    @property
    def manifest(self) -> bytes:
        return describe({"w": Array.from_numpy(self.array)}).encoded

    @property
    def array(self) -> np.ndarray[Any, Any]:
        return np.full(8, self.value, np.float32)

    @property
    def frames(self) -> bytes:
        chunks = (self.manifest, self.array.tobytes())
        return b"".join(head(digest_of(chunk), len(chunk)) + chunk for chunk in chunks)

    @property
    def told(self) -> Json:
        digest = digest_of(self.manifest)
        return {"manifest": {"digest": digest, "chunks": [digest]}}


def prepare(home: Path) -> str:
    """A ledger in which every write has something of its own to act on: the secret of a token that may do all."""
    loans(home.with_name("loans.csv"))
    with ModelManager(home, actor="ada") as manager:
        for number in range(1, 10):
            metrics = {"f1": number / 10}
            manager.save_version({"w": np.full(8, number, np.float32)}, name="net", metrics=metrics)
        for name in ("roll", "merge", "old-branch", "stage"):
            manager.branch(name, "net@3")
        manager.rollback("net@2", branch="roll")  # 3 is to be cleared
        for name in ("moved", "old-alias", "back", "guarded", "free"):
            manager.alias(name, "net@1")
        manager.alias("back", "net@2")
        manager.protect("free", require=["f1 > 0"], model="net")
        manager.tag("old-tag", "net@1")
        for name in ("shelf", "defined", "told"):
            manager.save_version({"w": np.zeros(2, np.float32)}, name=name)
        manager.add_data("loans", str(home.with_name("loans.csv")), "default", keep=True)
        manager.define_suite("old", "loans", require=["f1 > 0"], draws=0)
        for run in ("logged", "ended", "resumed", "kept", "shown"):
            manager.open_runs.start(model="net", run=run, writer="one", hyperparameters={}, key=f"start {run}")
        manager.evaluate_predictions("net@8", [1, 0, 1, 0], [1, 0, 1, 1], task="binary", name="before", draws=0)
        manager.jobs.train("credit-scoring-model", "loans", name="net", pool="nobody", key="to call off")
        manager.create_token("eve", "read", key="to revoke")
        return manager.create_token("ada", "admin").secret


def upload_rows(http: httpx.Client) -> str:
    """Rows that some of the writes are made of: their id."""
    answer = http.post("/rows", content=CSV, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 201, answer.text
    return answer.json()["rows"]


def writes(http: httpx.Client) -> dict[str, Write]:
    """The writes by their names. No two act on one thing, so their order is free."""
    rows = upload_rows(http)
    (job,) = (each["job"] for each in http.get("/jobs").json()["jobs"])
    (token,) = (each["token"] for each in http.get("/tokens").json()["tokens"] if each["owner"] == "eve")
    tag = http.get("/models/net/aliases/moved").headers["ETag"]
    net, told, form = "/models/net", {"writer": "one"}, Tensors(0.25)
    points = [{"name": "loss", "value": 0.5, "step": 1}]
    predicted = {"rows": rows, "predictions": "said", "labels": "truth", "task": "binary", "draws": 0, "name": "other"}
    train = {"kind": "train", "class": "credit-scoring-model", "model": "net", "data": "loans", "pool": "nobody"}
    kept = Tensors(0.75)
    return {
        "an alias put": Write("PUT", f"{net}/aliases/moved", {"version": 2}, {"If-Match": tag}),
        "an alias made": Write("PUT", f"{net}/aliases/new-alias", {"version": 2}, {"If-None-Match": "*"}),
        "aliases moved together": Write("PATCH", f"{net}/aliases", {"moves": {"left": 1, "right": 2}}, ANY),
        "an alias given up": Write("DELETE", f"{net}/aliases/old-alias", None, ANY),
        "an alias protected": Write("PUT", f"{net}/aliases/guarded/protection", {"require": ["f1 > 0"]}),
        "an alias protected no more": Write("DELETE", f"{net}/aliases/free/protection"),
        "a branch": Write("PUT", f"{net}/branches/new-branch", {"version": 1}),
        "a branch given up": Write("DELETE", f"{net}/branches/old-branch", None, ANY),
        "a tag": Write("PUT", f"{net}/tags/new-tag", {"version": 1}),
        "a tag given up": Write("DELETE", f"{net}/tags/old-tag", None, ANY),
        "a branch rolled back": Write("POST", f"{net}/rollbacks", {"to": 1, "branch": "stage"}, ANY),
        "an alias rolled back": Write("POST", f"{net}/rollbacks", {"alias": "back"}, ANY),
        "a merge": Write("POST", f"{net}/merges", {"version": 5, "into": "merge", "strategy": "average"}, ANY),
        "a version": Write("POST", f"{net}/versions", {**form.told, "save": {"message": "sent"}}, {}, form.frames),
        "a note": Write("PATCH", f"{net}/versions/4/annotations", {"ticket": "R-12"}),
        "figures": Write("POST", f"{net}/versions/5/metrics", {"metrics": {"auc": 0.5}}),
        "a version described": Write("PUT", f"{net}/versions/6/description", {"description": "the sixth"}),
        "a version cleared": Write("POST", f"{net}/versions/3/clearance", {"reason": "it was not the model"}),
        "a model described": Write("PATCH", "/models/told", {"description": "for tests"}),
        "a model archived": Write("PATCH", "/models/shelf", {"archived": True, "reason": "old"}),
        "a metric defined": Write("PATCH", "/models/defined", {"better": {"fid": "lower"}}),
        "an evaluation": Write("POST", f"{net}/versions/7/evaluations/predictions", predicted),
        "a gate": Write("POST", f"{net}/versions/8/gates", {"require": "f1 > 0.1"}),
        "a suite": Write("PUT", "/suites/weekly", {"data": "loans", "require": ["f1 > 0"], "draws": 0}),
        "a suite retired": Write("DELETE", "/suites/old"),
        "named data": Write("PUT", "/data/sent", {"rows": rows, "labels": "truth", "keep": True}),
        "a run": Write("POST", "/runs", {"model": "net", "run": "fresh", "writer": "one"}),
        "points of a run": Write("POST", "/runs/logged/metrics", {"points": points, **told}),
        "a run ended": Write("POST", "/runs/ended/finish", {"points": 0, **told}),
        "a run resumed": Write("POST", "/runs/resumed/resume", {"writer": "two"}),
        "a checkpoint": Write("POST", "/runs/kept/checkpoints", {**kept.told, "step": 1}, {}, kept.frames),
        "a file of a run": Write("POST", "/runs/shown/files", {"files": [SENT], **told}, {}, FRAME),
        "a token": Write("POST", "/tokens", {"owner": "bob", "scopes": ["read"]}),
        "a token revoked": Write("DELETE", f"/tokens/{token}"),
        "a job": Write("POST", "/jobs", train),
        "a job called off": Write("POST", f"/jobs/{job}/cancel", {"reason": "no more"}),
    }


def told(answer: httpx.Response) -> tuple[int, bytes, Mapping[str, str | None]]:
    """What must be the same whenever an answer is given."""
    content = _PASSING.sub(b"", answer.content)
    return answer.status_code, content, {name: answer.headers.get(name) for name in TOLD}


def recorded(home: Path, after: int) -> Counter[tuple[str, str]]:
    """How many events of each type and subject were recorded since; a job's and a run's own id aside."""
    with ModelManager(home) as manager:
        events = manager.events(after=after)
    told = ((each["type"], each["subject"]) for each in events if each["subject"] != "objects")
    return Counter((kind, _DRAWN.sub("", subject)) for kind, subject in told)


FURTHER: Final[Mapping[str, Write]] = {
    "an alias put": Write("PUT", "/models/net/aliases/moved", {"version": 3}, ANY),
    "an alias made": Write("DELETE", "/models/net/aliases/new-alias", None, ANY),
    "aliases moved together": Write("PATCH", "/models/net/aliases", {"moves": {"left": 4, "right": 1}}, ANY),
    "an alias given up": Write("PUT", "/models/net/aliases/old-alias", {"version": 5}, {"If-None-Match": "*"}),
    "an alias protected": Write("PUT", "/models/net/aliases/guarded/protection", {"require": ["f1 > 0.5"]}),
    "an alias protected no more": Write("PUT", "/models/net/aliases/free/protection", {"require": ["f1 > 0.5"]}),
    "a branch": Write("DELETE", "/models/net/branches/new-branch", None, ANY),
    "a tag": Write("DELETE", "/models/net/tags/new-tag", None, ANY),
    "a branch rolled back": Write("POST", "/models/net/rollbacks", {"to": 3, "branch": "stage"}, ANY),
    "a merge": Write("DELETE", "/models/net/branches/merge", None, ANY),
    "a note": Write("PATCH", "/models/net/versions/4/annotations", {"ticket": "R-13", "more": 1}),
    "figures": Write("POST", "/models/net/versions/5/metrics", {"metrics": {"auc": 0.75}}),
    "a version described": Write("PUT", "/models/net/versions/6/description", {"description": "once more"}),
    "a model described": Write("PATCH", "/models/told", {"description": "for other tests"}),
    "a model archived": Write("PATCH", "/models/shelf", {"archived": False}),
    "a metric defined": Write("PATCH", "/models/defined", {"better": {"fid": "higher"}}),
    "a suite": Write("PUT", "/suites/weekly", {"data": "loans", "require": ["f1 > 0.5"], "draws": 0}),
    "a suite retired": Write("PUT", "/suites/old", {"data": "loans", "require": ["f1 > 0.5"], "draws": 0}),
    "a run": Write("POST", "/runs/fresh/finish", {"points": 0, "writer": "one"}),
    "points of a run": Write("POST", "/runs/logged/finish", {"points": 1, "writer": "one"}),
}
"""What others write of the same things afterwards."""
