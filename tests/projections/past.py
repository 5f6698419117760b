"""A ledger in memory for the read model's tests: a log that grows by valid events, and pasts drawn at random."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from lepton_ai.events.envelope import Origin, encoder
from lepton_ai.events.event import Event
from lepton_ai.events.job import (
    JobAssigned,
    JobCancelled,
    JobCheckpointed,
    JobFailed,
    JobFinished,
    JobRequeued,
    JobStarted,
    JobSubmitted,
)
from lepton_ai.events.ledger import LedgerCreated, LedgerUpgraded
from lepton_ai.events.log import Row
from lepton_ai.events.merkle import leaf_hash
from lepton_ai.events.model import (
    AliasDeleted,
    AliasMoved,
    AliasProtected,
    AliasRolledBack,
    AliasUnprotected,
    BranchCreated,
    BranchDeleted,
    BranchRolledBack,
    DeltaRecorded,
    EvaluationRecorded,
    File,
    GateJudged,
    JudgedRequirement,
    MetricDefined,
    MetricsRecorded,
    ModelArchived,
    ModelDescribed,
    ModelRegistered,
    ModelUnarchived,
    Parent,
    RollbackRehearsed,
    TagCreated,
    TagDeleted,
    VersionAnnotated,
    VersionCleared,
    VersionCommitted,
    VersionDescribed,
)
from lepton_ai.events.objects import ManifestWritten, ObjectsCondemned, PackRepacked, PackWritten
from lepton_ai.events.outside import DatasetRecorded, ObservationRecorded, VersionOffered
from lepton_ai.events.run import (
    FileLogged,
    MetricsLogged,
    RunCheckpointed,
    RunFinished,
    RunLost,
    RunResumed,
    RunStarted,
)
from lepton_ai.events.study import (
    StudyAnnotated,
    StudyCreated,
    StudyDeleted,
    StudyResumed,
    StudyStopped,
    TrialAnnotated,
    TrialBegun,
    TrialEnded,
    TrialQueued,
    TrialReported,
    TrialStarted,
    TrialSuggested,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = ("credit", "team/scoring")


def digest(what: object, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.sha256(repr(what).encode()).hexdigest()}"


class Past:
    """A log in memory, one minute between events; `log.until(s)` is the ledger that ended at `s`."""

    def __init__(self, ledger_id: str = "0190-past", rows: Sequence[Row] = ()) -> None:
        self.ledger_id = ledger_id
        self.rows = list(rows)
        self.lengths: dict[str, int] = {}

    def end(self) -> int:
        return len(self.rows)

    def read(self, after: int, limit: int) -> Sequence[Row]:
        return self.rows[after : after + limit]

    def until(self, seq: int) -> Past:
        return Past(self.ledger_id, self.rows[:seq])

    def add(self, stream: str, *events: Event, actor: str = "a1", source: str | None = None) -> int:
        """Append events to a stream and return the last one's `seq`."""
        for event in events:
            seq = len(self.rows) + 1
            now = START + timedelta(minutes=seq)
            origin = Origin(actor=actor, time=now, command="c", command_digest="d", correlation=f"k{seq % 3}")
            encode = encoder(source or f"/lepton/{self.ledger_id}", origin, now)
            self.lengths[stream] = self.lengths.get(stream, 0) + 1
            raw = encode(event, stream, self.lengths[stream], seq, str(UUID(int=seq)))
            self.rows.append(Row(seq, leaf_hash(raw), raw))
        return len(self.rows)


def committed(
    version: int, branch: str = "main", parents: Sequence[int] = (), model: str = "credit", **fields: object
) -> VersionCommitted:
    """A version's event, with what a test does not care about filled in."""
    told: dict[str, object] = {
        "version": version,
        "digest": digest(("version", version, branch)),
        "branch": branch,
        "parents": tuple(
            Parent(model=model, version=parent, role="merged" if len(parents) > 1 else "trained") for parent in parents
        ),
        "tensors": digest(("manifest", version % 3), "blake3"),
        "tensor_count": 2,
        "parameters": 12,
        "bytes": 48,
        "keyframe": not parents,
        "recipe": digest(("recipe", version)),
    }
    return VersionCommitted.model_validate(told | fields)


def manifest(number: int, page: int = 0) -> ManifestWritten:
    return ManifestWritten(
        manifest=digest(("manifest", number % 3), "blake3"),
        page=page,
        names=(f"layer{page}.weight", f"layer{page}.bias"),
        dtypes=("float32", "int8"),
        shapes=((3, 4), ()),
        bytes=(48, 1),
        digests=(digest((number, page, 0), "blake3"), digest((number, page, 1), "blake3")),
    )


class _Model:
    """What is needed of one model's past to go on with valid events."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stream = f"model/{name}"
        self.versions = 0
        self.archived = False
        self.branches: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.aliases: dict[str, int] = {}


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["NaN", "1"]),
)
_FREE = st.dictionaries(st.text(max_size=3), st.one_of(_VALUES, st.lists(_VALUES, max_size=2)), max_size=3)
_METRICS = st.dictionaries(st.sampled_from(["f1", "loss", "a.b", "ü"]), st.floats(), max_size=3)
_SEALED = st.sampled_from(["", "sealed:AAECAw==", "sealed:\u0000'\"\\"])
_REFS = st.sampled_from(["main", "dev", "release/1"])


@st.composite
def pasts(draw: st.DrawFn, most: int = 22) -> Past:
    """A past of two models and, over at most `most` steps, of events of every type."""
    past = Past()
    past.add("ledger", LedgerCreated(ledger=past.ledger_id, format=1))
    models: dict[str, _Model] = {}
    runs: dict[str, str] = {}
    for name in MODELS:
        past.add(*_registered(models, name))
        past.add(*_committed(draw, models[name], runs))
    for _ in range(draw(st.integers(most // 2, most))):
        stream, event = draw(st.sampled_from(_choices(draw, models, runs)))()
        past.add(stream, event, actor=draw(st.sampled_from(["a1", "a2"])))
    return past


def _choices(draw: st.DrawFn, models: dict[str, _Model], runs: dict[str, str]) -> list[Callable[[], tuple[str, Event]]]:
    model = draw(st.sampled_from(list(models.values())))
    choices: list[Callable[[], tuple[str, Event]]] = [lambda: _objects(draw), lambda: _described(draw, model)]
    choices += [lambda: _job(draw, model), lambda: _studied(draw, model)]
    choices += [lambda: _committed(draw, model, runs), lambda: _run(draw, model, runs)] * 2
    choices += [lambda: _figures(draw, model)] * 3 + [lambda: _referred(draw, model)] * 4
    return choices


def _registered(models: dict[str, _Model], name: str) -> tuple[str, Event]:
    models[name] = _Model(name)
    return models[name].stream, ModelRegistered(model=name)


def _objects(draw: st.DrawFn) -> tuple[str, Event]:
    number = draw(st.integers(0, 2))
    return draw(
        st.sampled_from(
            [
                ("objects", manifest(number, draw(st.integers(0, 1)))),
                ("objects", PackWritten(pack=f"p{number}", bytes=9, entries=1, index=digest(number))),
                ("objects", PackRepacked(pack=f"p{number}", into=("q",))),
                ("objects", ObjectsCondemned(packs=("p",), delete_after=START)),
                ("ledger", LedgerUpgraded(format=1)),
                ("dataset/loans", DatasetRecorded(data={"digest": "d", "rows": number})),
                ("endpoint/scoring", _observed(number)),
                ("model/credit", VersionOffered(source="sealed:s", digest=digest(number))),
                ("model/unknown", VersionOffered(source="sealed:s", digest=digest(number))),
            ]
        )
    )


def _observed(rows: int) -> ObservationRecorded:
    return ObservationRecorded(model="credit", version=1, since=START, until=START, rows=rows, metrics={"psi": 0.1})


def _described(draw: st.DrawFn, model: _Model) -> tuple[str, Event]:
    if draw(st.booleans()):
        return model.stream, ModelDescribed(description=draw(_SEALED))
    model.archived = not model.archived
    return model.stream, (ModelArchived if model.archived else ModelUnarchived)(reason=draw(_SEALED))


def _committed(draw: st.DrawFn, model: _Model, runs: dict[str, str]) -> tuple[str, Event]:
    branch = draw(_REFS)
    head = model.branches.get(branch)
    known = st.integers(1, model.versions) if model.versions else st.nothing()
    others = draw(st.lists(known, max_size=1)) if model.versions else []
    model.versions += 1
    model.branches[branch] = model.versions
    event = committed(
        model.versions,
        branch,
        list(dict.fromkeys(([head] if head else []) + others)),
        model.stream.removeprefix("model/"),
        hyperparameters=draw(_FREE),
        metrics=draw(_METRICS),
        data=draw(st.one_of(st.none(), st.just({"digest": "d", "rows": 3, "columns": {"age": "float"}}))),
        files=tuple(File(name=name, digest=digest(name), bytes=1) for name in draw(st.sets(st.sampled_from("xy")))),
        run=draw(st.sampled_from([None, *runs])),
        message=draw(_SEALED),
    )
    return model.stream, event


def _figures(draw: st.DrawFn, model: _Model) -> tuple[str, Event]:
    version = draw(st.integers(1, model.versions))
    notes = {name: value for name, value in draw(_FREE).items() if not isinstance(value, list)}
    metrics = draw(_METRICS)
    return model.stream, draw(
        st.sampled_from(
            [
                MetricsRecorded(version=version, metrics=metrics),
                EvaluationRecorded(version=version, data={"rows": "?"}, name="holdout", metrics=metrics),
                VersionAnnotated(version=version, annotations=notes),
                VersionAnnotated(version=version, annotations=dict.fromkeys(notes)),
                VersionDescribed(version=version, description=draw(_SEALED)),
                VersionCleared(version=version, reason=draw(_SEALED)),
                MetricDefined(
                    name=draw(st.sampled_from(["f1", "ü"])), better=draw(st.sampled_from(["higher", "lower"]))
                ),
                MetricsRecorded(version=version, metrics=metrics, validation={"digest": "r", "rows": 1}),
                DeltaRecorded(
                    from_version=version,
                    to_version=version,
                    digest=digest("delta"),
                    bytes=1,
                    elements=1,
                    tensors=1,
                    two_way=True,
                ),
                GateJudged(
                    version=version,
                    parent=draw(st.sampled_from([None, version])),
                    requirements=(JudgedRequirement(text="f1 > 0", holds=draw(st.sampled_from([None, True, False]))),),
                    metrics=metrics,
                    passed=draw(st.booleans()),
                ),
                AliasProtected(alias="staging", requirements=("f1 > 0",), reason=draw(_SEALED)),
                AliasUnprotected(alias="staging", reason=draw(_SEALED)),
                RollbackRehearsed(
                    from_version=version,
                    to_version=version,
                    data={},
                    metrics_from=metrics,
                    metrics_to={},
                    difference={},
                    worse=False,
                ),
            ]
        )
    )


def _referred(draw: st.DrawFn, model: _Model) -> tuple[str, Event]:
    """A move of a branch, tag or alias that its present place allows."""
    to = draw(st.integers(1, model.versions))
    reason = draw(_SEALED)
    kind = draw(st.sampled_from(["branch", "tag", "alias"]))
    gone = draw(st.integers(0, 3)) == 0
    if kind == "tag":
        if "v1" not in model.tags:
            model.tags["v1"] = to
            return model.stream, TagCreated(tag="v1", version=to)
        return model.stream, TagDeleted(tag="v1", version=model.tags.pop("v1"))
    if kind == "branch":
        name = draw(_REFS)
        at = model.branches.get(name)
        if at is not None and gone:
            del model.branches[name]
            return model.stream, BranchDeleted(branch=name, version=at)
        model.branches[name] = to
        if at is None:
            return model.stream, BranchCreated(branch=name, version=to)
        replayed = (digest("delta"),) * draw(st.integers(0, 2))
        return model.stream, BranchRolledBack(
            branch=name, from_version=at, to_version=to, replayed=replayed, reason=reason
        )
    at = model.aliases.get("production")
    if at is not None and gone:
        del model.aliases["production"]
        return model.stream, AliasDeleted(alias="production", from_version=at)
    model.aliases["production"] = to
    if at is not None and draw(st.booleans()):
        return model.stream, AliasRolledBack(alias="production", from_version=at, to_version=to, reason=reason)
    return model.stream, AliasMoved(alias="production", from_version=at, to_version=to, reason=reason)


def _job(draw: st.DrawFn, model: _Model) -> tuple[str, Event]:
    """Any step of a job: the views tell what is stored, whether or not it could have been decided."""
    epoch = draw(st.integers(1, 3))
    event = draw(
        st.sampled_from(
            [
                JobSubmitted(job="j", kind="train", model=model.name, payload=draw(_FREE), message=draw(_SEALED)),
                JobAssigned(epoch=epoch, worker="w", deadline=START),
                JobStarted(epoch=epoch, run=draw(st.sampled_from([None, f"j.{epoch}"]))),
                JobCheckpointed(epoch=epoch, step=epoch, tensors=digest("checkpoint", "blake3")),
                JobRequeued(epoch=epoch, error="LeaseLost", reason=draw(_SEALED), until=START),
                JobFinished(epoch=epoch, version=draw(st.none() | st.just(1)), result=draw(_FREE)),
                JobFailed(epoch=epoch, error="ValueError", reason=draw(_SEALED)),
                JobCancelled(epoch=epoch, reason=draw(_SEALED)),
            ]
        )
    )
    return f"job/{draw(st.sampled_from('jk'))}", event


def _studied(draw: st.DrawFn, model: _Model) -> tuple[str, Event]:
    """Any step of a study, whether or not it could have been decided."""
    trial = draw(st.integers(0, 1))
    drawn = {"value": draw(st.sampled_from([0.5, "a", None])), "distribution": {"kind": "float"}}
    event = draw(
        st.sampled_from(
            [
                StudyCreated(study="s", directions=("maximize",), model=draw(st.sampled_from([None, model.name]))),
                StudyAnnotated(user=draw(_FREE)),
                StudyDeleted(),
                StudyStopped(),
                StudyResumed(),
                TrialBegun(trial=trial, status=draw(st.sampled_from(["waiting", "running"]))),
                TrialSuggested.model_validate({"trial": trial, "parameters": {"lr": drawn}}),
                TrialStarted(trial=trial),
                TrialQueued(trial=trial),
                TrialReported(trial=trial, steps=(1, 2), values=(draw(st.floats()), 0.5)),
                TrialAnnotated(trial=trial, user=draw(_FREE)),
                TrialEnded(trial=trial, status=draw(st.sampled_from(["complete", "failed"])), values=(0.5,)),
            ]
        )
    )
    return "study/s", event


def _run(draw: st.DrawFn, model: _Model, runs: dict[str, str]) -> tuple[str, Event]:
    opened = [run for run, status in runs.items() if status == "open"]
    if not opened or draw(st.booleans()):
        run = f"r{len(runs)}"
        runs[run] = "open"
        named = draw(st.sampled_from([{}, {"name": "nightly", "tags": ("a", "b")}]))
        return f"run/{run}", RunStarted(run=run, model=model.name, hyperparameters=draw(_FREE), **named)
    run = draw(st.sampled_from(opened))
    points = draw(
        st.lists(st.tuples(st.sampled_from(["f1", "loss"]), st.none() | st.integers(0, 9), st.floats()), max_size=3)
    )
    ended = draw(st.sampled_from([None, RunFinished(status="failed", error="ValueError", reason="sealed:x", points=3)]))
    if ended:
        runs[run] = "failed"
        return f"run/{run}", ended
    if draw(st.booleans()):
        return f"run/{draw(st.sampled_from([*runs]))}", draw(st.sampled_from([RunLost(heard=START), RunResumed()]))
    if draw(st.booleans()):
        picture = FileLogged(
            name=draw(st.sampled_from(["a.png", "b"])),
            media_type="image/png",
            digest=digest("file", "blake3"),
            bytes=20,
            step=draw(st.none() | st.just(7)),
        )
        return f"run/{run}", picture
    if draw(st.booleans()):
        return f"run/{run}", RunCheckpointed(tensors=digest("checkpoint", "blake3"), step=draw(st.none() | st.just(7)))
    names, steps, values = zip(*points, strict=True) if points else ((), (), ())
    return f"run/{run}", MetricsLogged(names=names, steps=steps, values=values, times=(START,) * len(points))
