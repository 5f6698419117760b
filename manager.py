"""The SDK's one door: the methods of `ModelManager`, each of which hands its work on to a room."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Self, TypeVar, Unpack, cast, overload
from weakref import WeakKeyDictionary

from . import domain, settings, versions
from .datasets.selection import selection
from .domain.access.rights import ALL, Rights
from .domain.model.metric import checked_better
from .domain.model.resolve import split_range
from .domain.model.revision import parts
from .errors import Malformed, ReadOnly, UnknownRevision
from .events import forks as forks  # from here on a fork waits for imports, which any first call may begin
from .events.actor import checked_actor
from .evidence.head import heads_in, last_head_in
from .home import checked_path, is_url
from .permissions import write_whole
from .results import LastMove, PendingVersion, Refs, Version, VersionRef, Versions
from .settings import Settings
from .versions.arguments import checked
from .versions.unknown import damage_first

if TYPE_CHECKING:
    import pyarrow as pa
    import torch

    from .domain import commands
    from .domain.model.state import ModelState, ModelVersion
    from .evaluation.request import ReportOptions, TestOptions
    from .jobs.api import Jobs
    from .jobs.desk import Desk
    from .projections.queries.opening import Opener
    from .projections.queries.search import Following
    from .projections.queries.search import Page as SearchPage
    from .results import (
        BuildRecord,
        Card,
        ChainRecord,
        ChainRecords,
        CheckpointRecords,
        Comparison,
        CreatedToken,
        Damages,
        DataSets,
        Diff,
        Drift,
        Evaluation,
        Gate,
        Healed,
        Library,
        LibraryEntry,
        Log,
        ModelRecord,
        NamedData,
        Pick,
        Proof,
        Protection,
        Protections,
        RefusedSaves,
        Report,
        Robustness,
        RollbackPlan,
        RolledBack,
        RunFileRecords,
        RunRecord,
        RunRecords,
        SignedHead,
        Status,
        StudyRecord,
        StudySummaries,
        Suggestion,
        SuiteRecord,
        SuiteRun,
        Suites,
        Synced,
        TokenRecord,
        Tokens,
        Upgraded,
        Verified,
        VersionRecord,
        VersionSummaries,
    )
    from .versions.access.tokens import TokenHolder
    from .versions.moves.rollback import Aim
    from .versions.overview.summaries import VersionPage
    from .versions.runs.open_runs import OpenRuns
    from .versions.runs.run import Run
    from .versions.spool.outbox import Outbox
    from .versions.spool.spool import Spool
    from .versions.transfer import Transfer
    from .versions.workspace import Workspace
    from .wiring import Home

Rev = str | int | PendingVersion
"""A revision as docs/revisions.md has it, a number, or a `Version`, pending ones too."""

Expected = Rev | LastMove
"""Where a name must be for a write to move it: on a version (0: nowhere), or where its last move left it."""


P = ParamSpec("P")
T = TypeVar("T")


def _told_first(method: Callable[Concatenate[ModelManager, P], T]) -> Callable[Concatenate[ModelManager, P], T]:
    """A method before which the ledger is told what waits in the spool: what it changes came later."""

    @functools.wraps(method)
    def told_first(self: ModelManager, *args: P.args, **kwargs: P.kwargs) -> T:
        self._tell_first()  # pyright: ignore[reportPrivateUsage]
        return method(self, *args, **kwargs)

    return told_first


def _administered(method: Callable[Concatenate[ModelManager, P], T]) -> Callable[Concatenate[ModelManager, P], T]:
    """A method for those alone who may do everything: it concerns the whole ledger, or the home itself."""

    @functools.wraps(method)
    def administered(self: ModelManager, *args: P.args, **kwargs: P.kwargs) -> T:
        self._rights.check_everywhere("admin")  # pyright: ignore[reportPrivateUsage]
        self._check_present()  # pyright: ignore[reportPrivateUsage]
        return method(self, *args, **kwargs)

    return administered


@checked
@damage_first(lambda manager: manager._workspace)
class ModelManager:
    """A ledger's versions, for one process; safe to share between threads, and opened anew after a fork.

    `home` is the ledger's folder, else LEPTON_HOME, else the nearest `.lepton` upwards, else a new one here, which the
    first call that writes makes; what only reads is `Refused` where there is no ledger.
    Every mutating method takes `key`: sent again under one key, it acts once and answers the same.
    While the ledger is away saves, runs and metrics are spooled in the home, and told in order by the next call that
    changes something, or by `sync`; with `strict` they raise `Unavailable`, as all else does.
    All methods raise `Refused` where a rule forbids what was asked, `Unavailable` where a part is away for now, and
    `Damaged` where stored bytes are not what was recorded.
    """

    def __new__(
        cls,
        home: str | os.PathLike[str] | None = None,
        *,
        actor: str | None = None,  # noqa: ARG004 - as `__init__`
        strict: bool = False,  # noqa: ARG004
    ) -> Self:
        """The manager of a server where the home is its address."""
        address = os.environ.get("LEPTON_HOME") if home is None else home
        if cls is ModelManager and isinstance(address, str) and is_url(address):
            from .remote.manager import RemoteManager

            return object.__new__(cast("type[Self]", RemoteManager))
        return object.__new__(cls)

    def __init__(
        self, home: str | os.PathLike[str] | None = None, *, actor: str | None = None, strict: bool = False
    ) -> None:
        self._open(settings.load(home, actor=actor), strict)

    def _open(self, loaded: Settings, strict: bool) -> None:
        self._settings = loaded
        self._strict = strict
        # by process: a forked child leaves what is its parent's alone
        self._opened: dict[int, Home] = {}
        self._root: ModelManager | None = None
        self._rights = ALL
        self._past: int | None = None
        self._then: tuple[Workspace, Workspace] | None = None
        """The present, and the past as it was made of it."""
        self._origins: WeakKeyDictionary[Any, Version | PendingVersion] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[Any, ...]:
        """A manager is pickled and copied as its settings, without passwords and secrets: where it is opened again the
        environment must hold these."""
        if self._root is not None:
            return _acting_again, (self._root, self._settings.actor, self._rights, self._past)
        return _reopened, (type(self), settings.portable(self._settings), self._strict)

    def __enter__(self) -> ModelManager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is open; the next call opens it again."""
        home = self._opened.pop(os.getpid(), None)
        if home is not None and self._root is None:
            home.close()

    def acting(self, actor: str, rights: Rights | None = None) -> ModelManager:
        """This ledger as somebody else uses it, with `rights` of their own, else all; what is open they share.

        A model that they may not read is to them as if it were not there; what else they may not do is `Forbidden`. It
        spools nothing, and closing it closes nothing. Safe to call from many threads, and cheap.
        """
        self._rights.check_everywhere("admin")
        manager = object.__new__(type(self))
        manager._open(replace(self._settings, actor=checked_actor(actor)), strict=True)
        manager._root, manager._rights, manager._origins = self._root or self, rights or ALL, self._origins
        return manager

    def as_of(self, at: int | datetime | date | str) -> ModelManager:
        """The ledger as it was behind an event, at the end of a day (UTC) or at a time, for all that reads.

        `at` is as `sql` takes `as_of`. What is open is shared, and closing it closes nothing; what writes is `Refused`.
        Weights and files are there as they were kept; who was forgotten since is forgotten there too.
        """
        seq = self._place(at)
        manager = object.__new__(type(self))
        manager._open(self._settings, strict=True)
        manager._root, manager._rights, manager._origins = self._root or self, self._rights, self._origins
        manager._past = seq if self._past is None else min(seq, self._past)
        return manager

    # ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def save_version(
        self,
        model: Any,
        *,
        name: str | None = None,
        branch: str = "main",
        message: str = "",
        parents: Sequence[Rev | tuple[Rev, str]] | None = None,
        tags: Sequence[str] = (),
        hyperparameters: Any = None,
        metrics: Mapping[str, Any] | None = None,
        validation: Any = None,
        task: str | None = None,
        better: Mapping[str, str] | None = None,
        data: Any = None,
        settings: Any = None,
        annotations: Mapping[str, Any] | None = None,
        files: Mapping[str, str | os.PathLike[str] | bytes] | Sequence[str | os.PathLike[str]] | None = None,
        architecture: Mapping[str, Any] | None = None,
        optimizer: Any = None,
        expected: Expected | None = None,
        key: str | None = None,
    ) -> Version | PendingVersion:
        """Keep a model's parameters as the next version of a branch.

        `model` is a Lepton model, any `torch.nn.Module`, a fitted estimator of scikit-learn, XGBoost or LightGBM, or a
        mapping of names to tensors or arrays, which needs `name`. What the model itself knows (hyperparameters,
        settings, data, metrics, architecture) is taken from it unless given; docs/values.md says which values may be
        kept. `data` is training data, (data, labels), or a fingerprint; `validation` the same of the rows that
        `metrics` are of, for versions are compared by figures of the same rows alone. `task` is what they are of
        (binary, multiclass, regression); `better` says which way metrics are better: {"fid": "lower"}.
        `parents` default to the version this object was loaded from or last saved as, and where that is
        not the branch's head any more it is `Stale`; else to the branch's head, whichever that is when it is recorded.
        Each may be a pair of a revision and a role, any label: `("teacher@3", "teacher")`. `MODEL@REV` or a version of
        another model is a parent beside those, shown and never walked as history.
        The state of torch's `optimizer` is kept beside the parameters, which load without it; `load_optimizer` has it.
        `expected` is where the branch must be: on a version (0: nowhere), or, by `LastMove`, where that left it.
        What equals the head makes no new version. While the ledger is away the answer is a `PendingVersion`. Where the
        save is refused, what was to be saved is kept: the error names it, and `adopt` takes it in.
        """
        return self._outbox.save(
            model,
            name,
            branch=branch,
            message=message,
            parents=parents,
            tags=tags,
            hyperparameters=hyperparameters,
            metrics=metrics,
            validation=validation,
            task=task,
            better=better,
            data=data,
            settings=settings,
            annotations=annotations,
            files=files,
            architecture=architecture,
            optimizer=optimizer,
            expected=expected,
            key=key,
        )

    @_administered
    def kept(self) -> RefusedSaves:
        """The saves that were refused, the oldest first: what was to be saved is kept here until adopted or dropped."""
        return versions.refused.listed(self._spool)

    @_administered
    def adopt(
        self,
        name: str,
        *,
        model: str | None = None,
        branch: str | None = None,
        parents: Sequence[Rev | tuple[Rev, str]] | None = None,
        tags: Sequence[str] | None = None,
        message: str | None = None,
        hyperparameters: Any = None,
        settings: Any = None,
        metrics: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Version:
        """Take a refused save, by the name that `kept` lists, into the ledger after all.

        What is given replaces what the save was asked with. Where neither parents nor a new branch are, it becomes a
        child of its branch's head; tags that are in use by now are left out, unless given. It is kept until it is in.
        """
        changes = {
            "model": model,
            "branch": branch,
            "parents": parents,
            "tags": tags,
            "message": message,
            "hyperparameters": hyperparameters,
            "settings": settings,
            "metrics": metrics,
            "annotations": annotations,
        }
        self._outbox.ready()  # a refused save may have been the first, of a home that has no ledger yet
        return versions.refused.adopt(self._home.outbox.delivery, name, changes, key)

    @_administered
    def load_kept(self, name: str, *, into: Any = None) -> Any:
        """What a refused save was given: filled into `into`, rebuilt where its class is registered here, else its
        tensors by name."""
        return versions.refused.load(self._spool, name, into)

    @_administered
    def drop_kept(self, name: str) -> str:
        """Give a refused save up for good: its name."""
        return versions.refused.drop(self._spool, name)

    def load_version(self, rev: Rev, *, into: Any = None) -> Any:
        """The model a version was saved from, rebuilt from its registered class, or filled into one you built.

        `into` is a Lepton model, any `torch.nn.Module`, or a mapping of names to tensors or arrays, filled in place.
        A class that is not registered here is `Refused`: nothing in a ledger makes Lepton import or run anything.
        """
        model, number = self._resolved(rev)
        return versions.restore.load(self._workspace, model, number, into)

    def load_tensors(self, rev: Rev, names: Sequence[str] | None = None) -> dict[str, torch.Tensor]:
        """A version's tensors on the CPU, all or those named, exact to the last bit; tied ones are one object."""
        from .models.state import empty_torch

        return versions.restore.converted(self._workspace, *self._resolved(rev), names, empty_torch)

    def load_arrays(self, rev: Rev, names: Sequence[str] | None = None) -> dict[str, Any]:
        """A version's tensors as numpy arrays; bfloat16 and fp8 need the package ml_dtypes."""
        from .models.arrays import empty_numpy

        return versions.restore.converted(self._workspace, *self._resolved(rev), names, empty_numpy)

    def files(self, rev: Rev) -> dict[str, bytes]:
        """The files kept beside a version, by name."""
        return versions.restore.files(self._workspace, *self._resolved(rev))

    def load_optimizer(self, rev: Rev, optimizer: Any) -> None:
        """Put an optimizer into the state that was kept beside a version, to the last bit.

        It must be made as it was then: of as many parameters, in the same groups.
        """
        from .models.optimizer_state import fill

        fill(optimizer, self.files(rev), f"revision {rev}")

    def checkout(self, rev: Rev, folder: str | os.PathLike[str], *, force: bool = False) -> Version:
        """Write a version to a folder that is read without Lepton: `model.safetensors`, `recipe.json` and a README.

        A folder that holds anything is `Refused`; with `force` what a checkout writes is replaced in it, and no more.
        """
        place = checked_path(os.fspath(folder), "the folder")
        source = versions.checkout.of_ledger(self._workspace, *self._resolved(rev))
        return versions.checkout.checkout(source, place, force)

    def export(self, rev: Rev, file: str | os.PathLike[str]) -> Version:
        """Write a version's tensors to a safetensors file, whole or not at all; what was there is replaced."""
        source = versions.checkout.of_ledger(self._workspace, *self._resolved(rev))
        return versions.checkout.export(source, Path(os.fspath(file)).absolute())

    def apply(self, rev: Rev, module: Any) -> tuple[str, ...]:
        """Put a live module, or mapping of tensors or arrays, on a version in place.

        Returns the digests of the deltas replayed, none where it was read whole.
        """
        return versions.restore.apply(self._workspace, *self._resolved(rev), module)

    def rollback(
        self,
        to: Rev | None = None,
        *,
        model: str | None = None,
        branch: str = "main",
        alias: str | None = None,
        expected: Expected | None = None,
        reason: str = "",
        move_aliases: Sequence[str] = (),
        rehearse: Any = None,
        override: bool = False,
        dry_run: bool = False,
        key: str | None = None,
    ) -> RolledBack | RollbackPlan:
        """Put a branch, or with `alias` an alias, on a version of its past, after every byte of it was restored.

        `to` may be left out with `alias` only: back to where it stood before its last move. `rehearse`, as
        (data, labels) or (data, labels, metric), with a file's path and its column of labels, or as the name of data
        (`add_data`), judges target and head on the same rows first and raises `GateNotMet` for a worse target unless a
        `reason` is given. `dry_run` returns the plan, with the rehearsal if one was asked for, and records nothing.
        A protected alias moves by a gate that the version passed, or with `override` and a reason. `expected` is where
        the branch or alias must be before.
        """
        if self._past is None or not dry_run:
            self._tell_first()
        state, aim = self._aim(to, model, branch, alias, expected, reason, move_aliases, rehearse, override, key)
        if dry_run:
            return versions.rollback.plan(self._workspace, state, aim)
        return versions.rollback.roll_back(self._workspace, state, aim, key)

    @_told_first
    def merge(
        self,
        rev: Rev,
        *,
        into: str = "main",
        strategy: Literal["ours", "theirs", "average"] = "average",
        weight: float = 0.5,
        message: str = "",
        expected: Expected | None = None,
        key: str | None = None,
    ) -> Version:
        """Merge a version into a branch: `ours`, `theirs`, or their linear average with `weight` on theirs.

        `expected` is where the branch must be before.
        """
        model, number = self._resolved(rev, key=key)
        theirs = versions.save_request.Named(_written(rev), number, "merged")
        wanted = None if expected is None else self._guard(expected, model.name)
        told: dict[str, Any] = {"into": into, "strategy": strategy, "weight": weight, "message": message}
        return versions.merge.merge(self._workspace, model, theirs, **told, expected=wanted, key=key)

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @_told_first
    def branch(
        self, name: str, rev: Rev = "main", *, expected: Expected | None = None, key: str | None = None
    ) -> Version:
        """Open a branch at a version, which is returned; `expected` is where it must be before, as in `alias`."""
        return self._bound(domain.commands.CreateBranch(**self._of(rev, expected, key), branch=name), key)

    @_told_first
    def delete_branch(
        self, name: str, *, model: str | None = None, expected: Expected | None = None, key: str | None = None
    ) -> None:
        """Give up a branch's name, if it is where it is `expected`; its versions stay."""
        self._workspace.admit(domain.commands.DeleteBranch(**self._named(model, expected), branch=name), key)

    def branches(self, model: str | None = None) -> Refs:
        """The branches of a model and their heads."""
        return versions.names.standing(self._workspace, self._known(model), "branch")

    @_told_first
    def tag(self, name: str, rev: Rev = "main", *, expected: Expected | None = None, key: str | None = None) -> Version:
        """Bind a name to a version, which is returned, for good; `expected` is where it must be before."""
        return self._bound(domain.commands.CreateTag(**self._of(rev, expected, key), tag=name), key)

    @_told_first
    def delete_tag(
        self, name: str, *, model: str | None = None, expected: Expected | None = None, key: str | None = None
    ) -> None:
        """Give up a tag, if it is where it is `expected`."""
        self._workspace.admit(domain.commands.DeleteTag(**self._named(model, expected), tag=name), key)

    def tags(self, model: str | None = None) -> Refs:
        """The tags of a model and their versions."""
        return versions.names.standing(self._workspace, self._known(model), "tag")

    @_told_first
    def alias(
        self,
        name: str,
        rev: Rev,
        *,
        expected: Expected | None = None,
        reason: str = "",
        override: bool = False,
        key: str | None = None,
    ) -> Version:
        """Put a moving name, such as production, on a version; `expected` is where it must stand (0: nowhere).

        `LastMove(aliases().last_moves[name])` as `expected` is refused also where it was moved and put back meanwhile.

        One that is protected moves by a gate that the version passed; with `override` and a reason without.
        """
        guard = None if expected is None else {name: expected}
        return self.aliases({name: rev}, expected=guard, reason=reason, override=override, key=key)[name]

    def aliases(
        self,
        moves: Mapping[str, Rev] | None = None,
        *,
        expected: Mapping[str, Expected] | None = None,
        model: str | None = None,
        reason: str = "",
        override: bool = False,
        key: str | None = None,
    ) -> Refs:
        """Put several aliases on versions of one model, all or none; without moves only say where they stand.

        In `expected` "*" stands for all aliases of the model: `LastMove(aliases().last)` is that none has moved since.
        """
        moves, expected = moves or {}, expected or {}
        if not moves:
            return versions.names.standing(self._workspace, self._known(model), "alias")
        self._tell_first()
        state, numbers = self._of_one_model(moves.values(), model, key)
        command = domain.commands.MoveAliases(
            model=state.name,
            to=dict(zip(moves, numbers, strict=True)),
            expected={name: self._guard(rev, state.name, key) for name, rev in expected.items()},
            asked={"to": _words(moves), "expected": _words(expected)},
            reason=reason,
            override=override,
            suites=versions.known.protecting(self._workspace, state),
        )
        events = self._workspace.admit(command, key).events
        last = events[-1].seq if events else None
        return versions.names.standing(self._workspace, self._known(state.name), "alias", last)

    @_told_first
    def delete_alias(
        self, name: str, *, model: str | None = None, expected: Expected | None = None, key: str | None = None
    ) -> None:
        """Give up an alias, unless it is protected, if it is where it is `expected`."""
        self._workspace.admit(domain.commands.DeleteAlias(**self._named(model, expected), alias=name), key)

    def moves(
        self,
        name: str,
        kind: Literal["branch", "tag", "alias"] | None = None,
        *,
        model: str | None = None,
        before: int | None = None,
        most: int | None = None,
    ) -> Log:
        """All moves of one branch, tag or alias, newest first, also of one given up.

        Without a `kind` those of everything that the name ever was. `before` an event's number, `most` the newest only.
        """
        return versions.names.moves(self._workspace, self._known(model), name, kind, before=before, most=most)

    @_told_first
    def protect(
        self,
        alias: str,
        *,
        require: str | Sequence[str] = (),
        against: str | None = None,
        suite: str | None = None,
        model: str | None = None,
        reason: str = "",
        expected: LastMove | None = None,
        key: str | None = None,
    ) -> Protection:
        """Let an alias move only to versions that passed a gate with these requirements (`gate`), or by `override`.

        With a `suite` it is the gate of that suite, as it is defined when the alias moves.

        `against.` in a requirement stands for the version that `against`, an alias, branch or tag, stands on when the
        alias moves: the alias itself, if left out. A gate that compared with another version is stale. Protected anew,
        an alias has the new requirements alone. `expected` is the event that protects it so far (`Protection.seq`).
        """
        asked = {"requirements": _several(require), "against": against, "suite": suite}
        asked |= {"reason": reason, "expected": expected}
        return versions.gate.protect(self._workspace, self._known(model), alias, asked, key)

    @_told_first
    def unprotect(
        self,
        alias: str,
        *,
        model: str | None = None,
        reason: str = "",
        expected: LastMove | None = None,
        key: str | None = None,
    ) -> None:
        """Let an alias move freely again, if it is protected by the event that is `expected`."""
        versions.gate.unprotect(self._workspace, self._known(model), alias, reason, expected, key)

    def protections(self, model: str | None = None) -> Protections:
        """The protected aliases of a model, and what each requires."""
        return versions.gate.protections(self._known(model))

    # ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────

    @_told_first
    def annotate(self, rev: Rev, annotations: Mapping[str, Any], *, key: str | None = None) -> None:
        """Put notes on a version: text, numbers, true or false; None takes one off."""
        self._workspace.admit(domain.commands.Annotate(**self._of(rev), annotations=dict(annotations)), key)

    @_told_first
    def describe(self, what: Rev, text: str, *, key: str | None = None) -> None:
        """Say what a model is for (by its name), or what a version is (by any other revision)."""
        if isinstance(what, str) and what in self.models():
            self._workspace.admit(domain.commands.Describe(model=what, version=None, description=text), key)
        else:
            self._workspace.admit(domain.commands.Describe(**self._of(what), description=text), key)

    @_told_first
    def archive(self, model: str | None = None, *, reason: str = "", key: str | None = None) -> None:
        """Close a model to new versions and rollbacks."""
        self._workspace.admit(domain.commands.Archive(model=self._known(model).name, reason=reason), key)

    @_told_first
    def unarchive(self, model: str | None = None, *, reason: str = "", key: str | None = None) -> None:
        """Open an archived model again."""
        self._workspace.admit(domain.commands.Unarchive(model=self._known(model).name, reason=reason), key)

    @_told_first
    def record_metrics(
        self,
        rev: Rev,
        metrics: Mapping[str, Any],
        *,
        validation: Any = None,
        task: str | None = None,
        better: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> None:
        """Note figures of a version that were found elsewhere; `validation` is the rows that they are of.

        Without them they are shown, and no version is ranked by them. `task` is what they are of (binary, multiclass,
        regression), `better` is as `define_metrics` takes it.
        """
        told: dict[str, Any] = {
            "validation": versions.source.identity_of(validation),
            "better": checked_better(better or {}),
            "task": task,
        }
        self._workspace.admit(domain.commands.RecordMetrics(**self._of(rev), metrics=dict(metrics), **told), key)

    @_told_first
    def define_metrics(self, better: Mapping[str, str], *, model: str | None = None, key: str | None = None) -> None:
        """Say which way metrics of a model are better, as {"fid": "lower"}: versions are ranked by no others than
        these and those that docs/metrics.md lists."""
        told = checked_better(better)
        self._workspace.admit(domain.commands.DefineMetrics(model=self._known(model).name, better=told), key)

    @_told_first
    def clear(self, rev: Rev, *, reason: str, key: str | None = None) -> Version:
        """Let a version that was rolled back from be suggested again, for a reason; the version."""
        return self._bound(domain.commands.ClearVersion(**self._of(rev), reason=reason.strip()), key)

    def models(self) -> list[str]:
        """The names of all models, in order."""
        return self._workspace.models()

    def about(self, model: str | None = None) -> ModelRecord:
        """What a model is for, and where its branches and aliases stand."""
        return versions.history.about(self._workspace, self._known(model))

    def log(
        self,
        rev: Rev | None = None,
        *,
        model: str | None = None,
        most: int | None = None,
        before: int | None = None,
    ) -> Log:
        """A model's history, newest first; with a branch all of its past, with a revision its ancestry, or `A..B`.

        `most` takes the newest entries only, of those before event `before`: the `seq` of the last entry of a page
        asks for the next.
        """
        rev = rev if rev is None else self._arrived(rev)
        return versions.history.asked(self._workspace, rev, model, most, before)

    def versions(
        self,
        model: str | None = None,
        *,
        where: str | None = None,
        branch: str | None = None,
        most: int = 100,
        before: int | None = None,
    ) -> VersionSummaries:
        """A model's versions at a glance, newest first, at most `most` of those with numbers below `before`.

        With `branch` those that were committed on it; with `where` those for which an expression holds, as `find` has
        it. The number of the last asks for the next page.
        """
        state = self._known(model)
        page = versions.summaries.VersionPage(branch=branch, most=most, before=before)
        matching = None if where is None else self._numbers(where, state.name, page)
        return versions.summaries.listed(self._workspace, state, page, matching)

    def show(self, rev: Rev = "main") -> VersionRecord:
        """All that a version recorded."""
        return versions.history.show(self._workspace, *self._resolved(rev))

    def diff(self, a: Rev, b: Rev | None = None) -> Diff:
        """What differs between two versions, from `a` to `b`; `a` may be a range `A..B`. `.whole` prints all of it."""
        if b is None:
            name, first, last = split_range(
                versions.made_by_job.numbered(self._workspace, str(a)), self.models(), self._workspace.archived
            )
            a, b = str(first), f"{name}@{last}" if "@" not in str(last).split("{")[0] else str(last)
        one = self._resolved(a)
        named = isinstance(b, Version | PendingVersion) or parts(str(b))[0] or b in self.models()
        own = None if named else one.model.name
        return versions.diff.diff(self._workspace, one, self._resolved(b, own))

    def compare(
        self,
        *revs: Rev,
        metric: str | None = None,
        against: Rev | None = None,
        data: Any = None,
        labels: Any = None,
        **test: Unpack[TestOptions],
    ) -> Comparison:
        """Versions of one model side by side, best first by `metric`; `holdout/f1` is f1 on the data called so.

        They are ranked by figures on rows that all of them were judged on; where there are none, not at all. Where the
        outcomes of these rows are kept, each is tested against the best, or against the version `against`: the test,
        its interval, p corrected for the pairs looked at (Holm), the effect's size, and whether it is better or worse
        beyond chance, or that this is not known. With `data` and `labels` they are judged on these, and nothing is
        recorded. `test` may have `groups`, `block` or `stratified` for such rows, `draws`, `seed` and `level`, as
        `evaluate` takes them. What is the same for all is counted; `.whole` prints it.
        """
        state, numbers = self._of_one_model(revs)
        other = None if against is None else self._workspace.guard(self._arrived(against), state.name)
        asked = versions.compare.Rivals(
            metric=metric, against=other, rows=versions.compare.both(data, labels), test=test
        )
        return versions.compare.compare(self._workspace, state, numbers, asked)

    def pick(
        self,
        *revs: Rev,
        model: str | None = None,
        by: str | Sequence[str] = "f1",
        require: str | Sequence[str] = (),
        in_order: bool = False,
        data: Any = None,
        labels: Any = None,
        **test: Unpack[TestOptions],
    ) -> Pick:
        """Pick one of some versions, or of all of a model, and say by which rule.

        Those that do not meet every expression of `require` (docs/expressions.md) are left out: figures as `show` has
        them, and `size` (bytes), `parameters`. `by` one figure the best is picked; where outcomes of the rows are known
        those that a paired test finds no worse beyond chance are as good, and the smallest of them is picked, then the
        oldest. By several the Pareto front is named, and a version is picked only where it is alone in it, or with
        `in_order`, where the first figure decides and a later one among those that are as good. `data`, `labels` and
        `test` are as `compare` takes them; nothing is recorded.
        """
        state, numbers = self._of_one_model(revs, model)
        request = versions.pick.PickRequest(
            by=(by,) if isinstance(by, str) else tuple(by),
            require=(require,) if isinstance(require, str) else tuple(require),
            in_order=in_order,
            rows=versions.compare.both(data, labels),
            test=test,
        )
        return versions.pick.pick(self._workspace, state, list(dict.fromkeys(numbers)) or [*state.versions], request)

    def suggest_rollback(
        self, *, model: str | None = None, branch: str = "main", metric: str | None = None
    ) -> Suggestion:
        """Versions of a branch's past to roll back to, best first by performance, stability and age, each with why.

        Performance is compared on rows that versions were both judged on; where outcomes of these are kept, one that a
        paired test finds no worse than the best beyond chance counts as good as that. One that was rolled back from is
        not suggested again before it was cleared (`clear`).
        """
        return versions.suggest.suggest(self._workspace, self._known(model), branch, metric)

    # ── named data ───────────────────────────────────────────────────────────────────────────────────────────────────

    def add_data(
        self,
        name: str,
        data: Any,
        labels: Any = None,
        *,
        keep: bool = False,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        message: str = "",
        key: str | None = None,
    ) -> NamedData:
        """Give rows a name, by which they are judged on later: a file's path, or rows in memory with labels.

        `labels` is the column of labels by its name, or values of their own. Recorded are the rows' fingerprint, their
        profile (docs/data.md) and the file's address, sealed; with `keep` the rows themselves are kept as Parquet in
        the object store, 2 GB at most. Other rows are the next version of the name; the same rows change nothing.
        `types`, `drop` and `columns` are as `train` has them. A file may be larger than memory.
        """

        def begun() -> Workspace:
            self._outbox.ready()
            return self._home.workspace

        told: dict[str, Any] = {"keep": keep, "message": message, "key": key}
        versions.naming.add(begun, name, data, labels, chosen=selection(types, drop, columns), **told)
        return versions.listing.show(self._workspace, name)

    def data(self, name: str) -> NamedData:
        """What a name of rows stands for, its profile with it; `NAME@2` is an earlier version of it."""
        return versions.listing.show(self._workspace, name)

    def data_sets(self) -> DataSets:
        """The names that rows were given, each as what it stands for now."""
        return versions.listing.listed(self._workspace)

    def load_data(self, name: str) -> tuple[Any, Any]:
        """The rows of a name, an Arrow table and the column of labels (None without): as they were named, verified.

        They come from what was kept, else from where they lay: other rows than were named are `Refused`.
        """
        return versions.listing.load(self._workspace, name)

    def drift(self, before: str, after: str) -> Drift:
        """How the rows of one name differ from those of another, or of an earlier version: the most drifted first.

        By population stability index, and by Kolmogorov-Smirnov and chi-square tests corrected for the number of
        columns (Holm) where the rows of both are at hand; else by what their profiles tell.
        """
        return versions.drift.drift(self._workspace, before, after)

    # ── suites ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @_told_first
    def define_suite(
        self,
        name: str,
        data: str | os.PathLike[str],
        labels: str | None = None,
        *,
        require: str | Sequence[str] = (),
        metrics: Sequence[str] = (),
        against: str | None = None,
        model: str | None = None,
        branch: str | None = None,
        evaluation: str | None = None,
        task: str | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        pool: str = "default",
        message: str = "",
        key: str | None = None,
        **report: Any,
    ) -> SuiteRecord:
        """Say what versions are judged on, and what they must come to; another definition is the suite's next version.

        `data` is named data or a file's address, `labels` its column of labels; the rows are read once, and no others
        are taken for them later. `require` has conditions as docs/expressions.md says: `parent.` is a version's first
        parent, `against.` stands on `against`, an alias, branch or tag. `metrics` names the figures to report, else
        all. With a `model` each new version of its `branch` (main) is judged by itself, by a worker of the `pool`;
        both may still have to come. `evaluation` is what the evaluations are called, else the suite's name; `report`
        takes what `evaluate` does. Defining the same again changes nothing. Raises `Refused` for what fits no version.
        """
        told: dict[str, Any] = {"require": _several(require), "metrics": tuple(metrics), "against": against}
        told |= {"model": model, "branch": branch, "evaluation": evaluation, "task": task, "report": report}
        told |= {"chosen": selection(types, drop, columns), "pool": pool, "message": message, "key": key}
        versions.definition.define(self._home.workspace, name, data, labels, **told)
        return versions.verdicts.show(self._workspace, name)

    def suites(self, *, retired: bool = False) -> Suites:
        """The suites by name, each with what it came to last; with `retired` those too that judge no more."""
        return versions.verdicts.listed(self._workspace, retired=retired)

    def suite(self, name: str) -> SuiteRecord:
        """A suite as it is defined, with what came of the versions that it judged; `NAME@2` is as it was once."""
        return versions.verdicts.show(self._workspace, name)

    @_told_first
    def run_suite(self, name: str, rev: Rev, *, key: str | None = None) -> SuiteRun:
        """Judge a version by a suite in this process, and record its gate; `check()` raises `GateNotMet` if not met.

        The version and those that it is compared with are evaluated on the suite's rows. Raises `Refused` where the
        suite is retired, or its data holds other rows than it was defined on.
        """
        return versions.running.run(self._workspace, name, *self._resolved(rev), key)

    @_told_first
    def retire_suite(self, name: str, *, reason: str = "", key: str | None = None) -> SuiteRecord:
        """Let a suite judge no more versions; what it judged stays told, and defined again it goes on."""
        versions.definition.retire(self._workspace, name, reason, key)
        return versions.verdicts.show(self._workspace, name)

    # ── work ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(
        self,
        model: str,
        *,
        hyperparameters: Any = None,
        data: Any = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        better: Mapping[str, str] | None = None,
    ) -> Run:
        """A training script's run, as a context manager with `.log`, `.log_file`, `.checkpoint` and `.save`.

        What is no hyperparameter is refused here, before the training; docs/values.md says what may be one. `name` and
        `tags` are for people to find it by; `better` says which way its metrics are better, as {"fid": "lower"}, and is
        recorded with what it saves.
        """
        outbox, fingerprint = self._outbox, versions.source.fingerprint_of(data)
        return versions.run.Run(
            outbox, model, hyperparameters=hyperparameters, data=fingerprint, name=name, tags=tags, better=better
        )

    def resume(self, run: str) -> Run:
        """Go on with a run that was lost, failed or is still open: the same run, as a context manager.

        Its hyperparameters are those recorded, `.step` is the greatest step that was logged, `.load_checkpoint` gives
        back what was kept. Whoever logged to it before is refused from then on. `run` is its id, or a part of it.
        """
        return versions.run.resumed(
            self._outbox, *versions.record.resumable(self._workspace, self._workspace.named("run", run))
        )

    def runs(
        self,
        model: str | None = None,
        *,
        status: Literal["running", "finished", "failed", "lost"] | None = None,
        actor: str | None = None,
        most: int = 100,
        before: str | None = None,
    ) -> RunRecords:
        """The runs of a model or of all, the newest first; `status` is running, finished, failed or lost.

        `actor` is the name of who started them; nobody's who was forgotten is found. With `before`, a run's id, those
        that were started before it.
        """
        query = (
            "SELECT run, model FROM runs WHERE (? IS NULL OR model = ?) "
            "AND (? IS NULL OR seq < (SELECT seq FROM runs WHERE run = ?)) ORDER BY seq DESC"
        )
        params = [model, model, before, before]
        if actor is not None:
            query, params = query.replace(" ORDER", " AND opened(actor) = ? ORDER"), [*params, actor]
        self._rights.check("read")
        table = cast(Any, self._asked(query, params))
        told = zip(*(cast("list[str]", table.column(name).to_pylist()) for name in ("run", "model")), strict=True)
        ids = [run for run, of in told if self._rights.covers(of)]
        return versions.record.listed(self._workspace, ids, status, most, self._settings.terms.run)

    def show_run(self, run: str) -> RunRecord:
        """All that is known of a run, its checkpoints among it. `run` is its id, or a part of it."""
        return versions.record.listed(
            self._workspace, [self._workspace.named("run", run)], None, 1, self._settings.terms.run
        )[0]

    def run_metrics(  # pyright: ignore[reportUnknownParameterType] - pyarrow ships no types
        self, run: str, name: str | None = None
    ) -> pa.Table:
        """The points that a run logged, in their order: name, step, value and time; of one metric, if it is named."""
        query = (
            "SELECT name, step, value, time FROM metrics WHERE run = ? AND version IS NULL AND (? IS NULL OR name = ?) "
            "ORDER BY seq, time, step NULLS FIRST"
        )
        return self._asked(query, [self._workspace.named("run", run), name, name])  # pyright: ignore[reportUnknownVariableType]

    def run_progress(self, run: str) -> tuple[int, int | None]:
        """How many points a run logged, and their greatest step: where a script goes on with it."""
        query = "SELECT count(*) AS points, max(step) AS step FROM metrics WHERE run = ? AND version IS NULL"
        table = cast(Any, self._asked(query, [self._workspace.named("run", run)]))
        return table.column("points")[0].as_py(), table.column("step")[0].as_py()

    @property
    def open_runs(self) -> OpenRuns:
        """Runs of scripts elsewhere, as a server is told of them."""
        from .versions.runs.open_runs import OpenRuns

        return OpenRuns(self._workspace)

    def checkpoints(self, run: str) -> CheckpointRecords:
        """What a run kept on its way, the oldest first."""
        return self.show_run(run).checkpoints

    def load_checkpoint(
        self,
        run: str,
        step: int | None = None,
        *,
        into: Any = None,
        optimizer: Any = None,
    ) -> Any:
        """What a run kept at a step, or last: filled into `into`, else rebuilt where its class is registered here.

        With `optimizer` that is put into the state that was kept beside.
        """
        return versions.record.load(self._workspace, self._workspace.named("run", run), step, into, optimizer)

    def load_checkpoint_tensors(self, run: str, step: int | None = None) -> dict[str, torch.Tensor]:
        """The tensors that a run kept at a step, or last, exact to the last bit; tied ones are one object."""
        from .models.state import empty_torch

        return versions.record.tensors(self._workspace, self._workspace.named("run", run), step, empty_torch)

    def run_files(self, run: str, name: str | None = None) -> RunFileRecords:
        """The files that a run logged, by name and step, or those of a name; of two of one step the later one."""
        return versions.files.listed(cast(Any, self._asked), self._workspace.named("run", run), name)

    def load_run_file(self, run: str, name: str, step: int | None = None) -> bytes:
        """The content of a file that a run logged at a step, or last."""
        file = versions.files.found(self.run_files(run, name), run, name, step)
        return self._workspace.vault.blob(file.digest)

    @overload
    def library(self) -> Library: ...
    @overload
    def library(self, name: str) -> LibraryEntry: ...
    def library(self, name: str | None = None) -> Library | LibraryEntry:
        """The classes that can be trained, Lepton's own and those registered here, each with its card; or one of them.

        An entry says what the class reads, its size, source and licence, what it is good at, where it should not be
        used, whether what it needs is installed, and its hyperparameters: defaults, what each may be, what is searched.
        It is the same at every moment of the ledger, and needs none. Raises `UnknownRevision` with the near names.
        """
        from .models.library import entry, library

        self._rights.check("read")
        return library() if name is None else entry(name)

    def train(
        self,
        model: Any,
        data: Any,
        labels: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
        on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        devices: int | None = None,
        **save: Any,
    ) -> Version | PendingVersion:
        """Fit a Lepton model as a run and keep a version by itself; `save` takes what `save_version` takes.

        `data` and `labels` may be a path and the name of its column of labels, or named data (`add_data`), which know
        their labels; those of `validation` may be a path's too. `types` says what columns of the data hold, such as
        {"zip": "text"} (number, text or date), `drop` leaves some out, and `columns` names the only ones to learn from;
        the model is then given an Arrow table of these. By `devices` so many processes learn together, as by the
        hyperparameter of that name.
        """
        chosen = selection(types, drop, columns)
        return versions.train.train(
            self._outbox, model, data, labels, known=self, validation=validation, on_epoch=on_epoch, chosen=chosen,
            devices=devices, **save,
        )  # fmt: skip

    def predict(  # pyright: ignore[reportUnknownParameterType] - pyarrow ships no types
        self, rev: Rev, data: Any, *, keep: Sequence[str] | None = ()
    ) -> pa.Table:
        """What a version says of rows, in their order: `prediction`, and `probability_CLASS` of each class it knows.

        `data` is a file's path, read as what the version learnt, or rows as the version's own `predict` takes them.
        `keep` names columns of a file to stand before these, None keeps all.
        """
        return versions.predict.predict(self._workspace, *self._resolved(rev), data, keep)  # pyright: ignore[reportUnknownVariableType]

    @_told_first
    def evaluate(
        self,
        rev: Rev,
        data: Any,
        labels: Any = None,
        *,
        name: str = "",
        task: str | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        better: Mapping[str, str] | None = None,
        key: str | None = None,
        **report: Unpack[ReportOptions],
    ) -> Evaluation:
        """Judge a version on labelled rows, record the figures and a fingerprint, and keep the report.

        `data` and `labels` may be a file's path and the name of its column of labels: it is read as what the version
        learnt. So are named data (`add_data`), which know their labels. `name` is what the rows are called: the figures
        stand under `name/f1` (`evaluation/f1` without one), and the version's own under `f1` as they were. `better`
        says which way they are better, where nobody knows yet.
        A version is judged by the columns that it recorded and their types; `types`, `drop` and `columns`, as `train`
        has them, are for one that recorded none. `task` is for one whose class does not say it.
        `report` takes what `evaluation.request.ReportRequest` has: `draws` of the bootstrap (0: no intervals), `groups`
        or `block` or `stratified` for rows that depend on each other, `slices` to search, `sensitive` columns,
        `costs`, own `metrics`, `level`, `seed`, `progress(done, of)`, and `keep_outcomes=False` where each row's label
        and prediction are not to be kept.
        """
        told: dict[str, Any] = {"name": name, "task": task, "better": better or {}, "key": key}
        told |= {"chosen": selection(types, drop, columns), "request": versions.evaluation.requested(report)}
        return versions.evaluation.evaluate(self._workspace, *self._resolved(rev), data, labels, **told)

    @_told_first
    def evaluate_predictions(
        self,
        rev: Rev,
        predictions: Any,
        labels: Any,
        *,
        probabilities: Any = None,
        classes: Sequence[Any] | None = None,
        data: Any = None,
        name: str = "",
        task: str | None = None,
        better: Mapping[str, str] | None = None,
        key: str | None = None,
        **report: Unpack[ReportOptions],
    ) -> Evaluation:
        """As `evaluate`, of predictions that were made elsewhere, one a row: arrays, lists or columns of a table.

        `probabilities` have one column a class in the order of `classes`; of a binary task they may be the positive
        class's alone. `data` are the rows, by which figures are compared with others of the same rows; without them
        rows are known by their labels alone. Without a `task` it is what labels and predictions seem to be.
        """
        told: dict[str, Any] = {"name": name, "task": task, "better": better or {}, "key": key, "data": data}
        told |= {"probabilities": probabilities, "classes": classes, "request": versions.evaluation.requested(report)}
        return versions.evaluation.evaluate_predictions(
            self._workspace, *self._resolved(rev), predictions, labels, **told
        )

    def report(self, rev: Rev, name: str | None = None) -> Report:
        """The report that is kept of a version's evaluation: of the name, else the newest.

        It has `.html()`, `.markdown()`, `.plot()`, and `.save(path)` by the ending of the file.
        """
        return versions.evaluation.report(self._workspace, *self._resolved(rev), name)

    def card(self, rev: Rev = "main", *, language: Literal["zh", "en"] | None = None) -> Card:
        """The model card of a version in Hugging Face's format, with the reports that were kept of it.

        Intended use, what is out of scope and limitations are the annotations `intended_use`, `out_of_scope` and
        `limitations`, beside `license`, `language` and `pipeline_tag`. It names no actor and no path.
        """
        return versions.card.card(self._workspace, *self._resolved(rev), language)

    @_told_first
    def gate(
        self,
        rev: Rev,
        *,
        against: Rev | None = None,
        require: str | Sequence[str] = (),
        data: Any = None,
        labels: Any = None,
        name: str = "",
        suite: str | None = None,
        key: str | None = None,
        **evaluation: Any,
    ) -> Gate:
        """Hold a version against requirements on its figures, such as "f1 >= against.f1 - 0.01", and record it.

        docs/expressions.md is the grammar; `parent.` is the version's first parent. With `data`, and `labels` and
        whatever else `evaluate` takes, all sides are judged on these rows first, recorded under `name`. Else the gate
        goes by figures that all sides have on the same rows, those of evaluations called `name` if one is given; where
        there are none it is `Refused`. What hangs on a figure that is missing is not met. The answer says whether it
        passed; its `check()` raises `GateNotMet` where it did not. With a `suite` it is that of `run_suite`.
        """
        if suite is not None:
            others = {
                "against": against,
                "require": require,
                "data": data,
                "labels": labels,
                "name": name,
                **evaluation,
            }
            return versions.running.gate(self._workspace, suite, *self._resolved(rev), others, key)
        if data is None and (labels is not None or evaluation):
            raise Malformed("labels, and what else `evaluate` takes, are about data; give the data too, or none of it")
        rows, labels, called = versions.named_data.rows_of(self._workspace, data, labels)
        state, numbers = self._of_one_model((rev,) if against is None else (rev, against))
        aim = versions.gate.GateAim(
            version=numbers[0],
            against=None if against is None else numbers[1],
            requirements=_several(require),
            name=name or called,
            asked=_words({"version": rev, "against": against}),
        )

        def evaluate(number: int) -> Evaluation:
            return self.evaluate(f"{state.name}@{number}", rows, labels, name=aim.name, **evaluation)

        return versions.gate.gate(self._workspace, state, aim, None if data is None else evaluate, key)

    @_told_first
    def calibrate(
        self,
        rev: Rev,
        data: Any,
        labels: Any = None,
        *,
        method: Literal["temperature", "isotonic"] = "temperature",
        branch: str = "main",
        message: str = "",
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        key: str | None = None,
    ) -> Version:
        """Keep a child version of the same parameters whose `predict_proba` is corrected on labelled rows.

        `data` and `labels` are as in `evaluate`; give rows that the version never learnt from. What `predict` calls
        stays as it was, bit for bit. Its annotations tell the calibration error before and after, the latter on rows
        that the correction was not fitted on; its figures are still to be measured.
        """
        told: dict[str, Any] = {"method": method, "branch": branch, "message": message, "key": key}
        told |= {"chosen": selection(types, drop, columns)}
        return versions.calibrate.calibrate(self._workspace, *self._resolved(rev), data, labels, **told)

    @_told_first
    def best_threshold(
        self,
        rev: Rev,
        data: Any,
        labels: Any = None,
        *,
        costs: Any,
        branch: str = "main",
        message: str = "",
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        key: str | None = None,
    ) -> Version:
        """Keep a child version that calls rows positive from the probability on that costs least on these rows.

        `costs` are as in `evaluate`, such as {"false_negative": 5}. It differs from the version in its threshold alone,
        a tensor of credit models; its annotations tell the mean cost of a row before and after.
        """
        told: dict[str, Any] = {"costs": costs, "branch": branch, "message": message, "key": key}
        told |= {"chosen": selection(types, drop, columns)}
        return versions.threshold.best_threshold(self._workspace, *self._resolved(rev), data, labels, **told)

    def robustness(
        self,
        rev: Rev,
        data: Any,
        labels: Any = None,
        *,
        metric: str | None = None,
        task: str | None = None,
        outputs: str | None = None,
        draws: int = 200,
        level: float = 0.95,
        seed: int = 0,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
    ) -> Robustness:
        """How a version does on labelled rows whose inputs go missing, shift, are noisy or unknown, the worst first.

        `data` and `labels` are as in `evaluate`; `metric` is the task's headline where none is named. Differences are
        of paired bootstraps, their chances corrected for all that was tried. Nothing is recorded.
        """
        told: dict[str, Any] = {"metric": metric, "task": task, "outputs": outputs, "draws": draws, "level": level}
        told |= {"seed": seed, "chosen": selection(types, drop, columns)}
        return versions.robustness.robustness(self._workspace, *self._resolved(rev), data, labels, **told)

    @_administered
    def sync(self, *, again: bool = False) -> Synced:
        """Deliver what was spooled while the ledger was away; `again` tries once more what it refused."""
        return self._home.outbox.delivery.sync(again=again)

    @property
    def jobs(self) -> Jobs:
        """Work that is done by workers: trainings and evaluations asked for, waited for, called off."""
        from .jobs.api import Jobs

        if self._past is not None:
            return Jobs(lambda: self._workspace, lambda: self._workspace, self._no_desk)
        return Jobs(lambda: self._workspace, lambda: self._home.workspace, lambda: self._home.desk)

    def chain(
        self,
        chain: str | os.PathLike[str] | Mapping[str, Any],
        *,
        name: str | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> ChainRecord:
        """Run the steps of a TOML file, or of a mapping of the same shape, each once those that it needs have finished.

        Run again it goes on where it stopped: what finished is not done again, what failed is asked for anew.
        `name` stands in place of the file's, for a run of its own. Without `wait` only what can be done now is done:
        jobs are asked for, and the next run does what waits for them. docs/jobs.md says what a step is. `Malformed`
        before anything is asked for where the chain is none; `Unavailable` where a job has not ended within `timeout`
        seconds.
        """
        from .jobs.chains.definition import chain_of
        from .jobs.chains.running import ChainRun

        jobs = self.jobs
        workspace = jobs.begun()
        run = ChainRun(workspace, chain_of(workspace, chain, name), jobs, self)
        return run.finish(timeout) if wait else run.advance()

    def chains(self) -> ChainRecords:
        """The chains that were run here, by name, each as it stands."""
        from .jobs.chains.record import chain_records

        return chain_records(self._workspace, self.jobs.show)

    def show_chain(self, name: str) -> ChainRecord:
        """A chain that was run here: its steps, and what became of each."""
        from .jobs.chains.record import chain_record

        return chain_record(self._workspace, self.jobs.show, name)

    def tune(
        self,
        model: str,
        data: Any,
        labels: Any = None,
        *,
        metric: str | Sequence[str] | None = None,
        trials: int | None = None,
        budget: float | str | None = None,
        workers: int = 0,
        space: Mapping[str, Any] | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        sampler: Literal["tpe", "random", "grid", "gp", "cmaes"] = "tpe",
        pruner: Literal["none", "median", "hyperband", "asha"] = "none",
        seed: int = 0,
        warm: int = 0,
        keep: int = 1,
        name: str | None = None,
        study: str | None = None,
        branch: str = "main",
        validation: str | None = None,
        better: Mapping[str, str] | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        message: str = "",
        on_trial: Callable[[int, str, Sequence[float] | None], None] | None = None,
        **limits: Any,
    ) -> StudyRecord:
        """Search the hyperparameters of a model, by its name, for the best `metric`; the best trial becomes a version.

        `trials` and `budget` (seconds, or "10m") bound the search, by 50 trials where nothing is said. With `workers`
        so many trials at a time are jobs, which take the `limits` of jobs; else each is done in this process, and the
        same seed makes the same search. `space` is what is searched in place of what the model's hyperparameters say
        (docs/search.md), `hyperparameters` are fixed. `warm` earlier versions are begun with. Killed at any moment and
        called again it goes on where it was: the study is found by its name (`study`, else the model's). `Malformed`
        or `Refused` before anything is begun where the search contradicts itself or a study of that name.
        """
        from .versions.studies import check_installed

        check_installed()
        from .jobs.studies.tuning import Tuning

        self._outbox.ready()
        return Tuning(self, self._home.lock_now).tune(
            model, data, labels, metric=metric, trials=trials, budget=budget, workers=workers, space=space,
            hyperparameters=hyperparameters, sampler=sampler, pruner=pruner, seed=seed, warm=warm, keep=keep, name=name,
            study=study, branch=branch, validation=validation, better=better, types=types, drop=drop, columns=columns,
            message=message, on_trial=on_trial, limits=limits,
        )  # fmt: skip

    def build(
        self,
        data: Any,
        labels: Any = None,
        *,
        name: str | None = None,
        task: Literal["auto", "binary", "multiclass", "regression"] = "auto",
        positive: float | str | None = None,
        metric: str | None = None,
        better: Mapping[str, str] | None = None,
        budget: float | str | None = None,
        trials: int | None = None,
        workers: int = 0,
        candidates: str | Sequence[str] | None = None,
        folds: int | None = None,
        groups: str | None = None,
        time: str | None = None,
        seed: int = 0,
        branch: str = "main",
        message: str = "",
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        columns: Sequence[str] | None = None,
        on_trial: Callable[[int, str, Sequence[float] | None], None] | None = None,
        **limits: Any,
    ) -> BuildRecord:
        """Find the best model of labelled rows: several kinds are searched, cross-validated on the same `folds`, and
        the best is fitted to all rows and kept as a version.

        `data` and `labels` are as in `train`. `budget` (seconds, or "10m", which it is where nothing is said) bounds
        all of it, `trials` the settings that are tried. `task` is what the labels seem to ask where it is not said; of
        two classes that are text the rarer is the `positive` one. `metric` is ROC AUC of two classes, macro F1 of
        several, RMSE of numbers. `groups` names a column whose values are held out whole, `time` one by which rows are
        judged by earlier ones; neither is learnt. `candidates` names the kinds to try, of those that docs/building.md
        lists. With `workers` so many trials at a time are jobs, which take the `limits` of jobs. Killed at any moment
        and called again with the same rows it goes on where it was. Raises `Malformed` or `Refused` before anything is
        begun where the rows or what is asked contradict themselves.
        """
        from .versions.studies import check_installed

        check_installed()
        from .jobs.builds.building import Building

        self._outbox.ready()
        return Building(self, self._home.lock_now).build(
            data, labels, name=name, task=task, positive=positive, metric=metric, better=better, budget=budget,
            trials=trials, workers=workers, candidates=candidates, folds=folds, groups=groups, time_column=time,
            seed=seed, branch=branch, message=message, types=types, drop=drop, columns=columns, on_trial=on_trial,
            limits=limits,
        )  # fmt: skip

    def studies(self) -> StudySummaries:
        """The searches that were run here, the newest first, each with how its trials stand and the best of them."""
        from .jobs.studies.record import study_summaries

        return study_summaries(self._workspace)

    def show_study(self, name: str) -> StudyRecord:
        """A search by its study's name, and all its trials."""
        from .jobs.studies.record import study_record

        return study_record(self._workspace, name)

    @_told_first
    def stop_study(self, name: str, *, key: str | None = None) -> StudyRecord:
        """Have a search end behind the trials that are at work, wherever it is run: it keeps its best and says so.

        `tune` asked again goes on with it. Raises `Refused` for a study that was not made by `tune`: Optuna's own
        loops hear of no stop.
        """
        from .jobs.studies.record import stop, study_record

        stop(self._workspace, name, key)
        return study_record(self._workspace, name)

    @property
    def transfer(self) -> Transfer:
        """The bytes of versions as a server hands them on: chunks that are uploaded, stored payloads by ranges."""
        from .versions.transfer import Transfer

        return Transfer(self._workspace, self._home.staging, self._resolved)

    # ── the ledger itself ────────────────────────────────────────────────────────────────────────────────────────────

    def sql(  # pyright: ignore[reportUnknownParameterType] - pyarrow ships no types
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        as_of: int | datetime | date | str | None = None,
        wait_for: int | None = None,
        timeout: float = 60.0,
        opened: bool = True,
    ) -> pa.Table:
        """One SELECT over the views of docs/views.md, as of now, a `seq`, a date or a time; it sees all so far.

        The answer shows names of actors and opened texts; the query itself compares what is stored, pseudonyms and
        sealed texts, and with `opened=False` the answer shows these too. `WHERE opened(actor) = 'ada'` compares what
        they say: `opened(text)` is null for what was forgotten, and there for those alone who hold the keys.

        Which event a date or time stood for, and when it was recorded, is told in the answer's schema metadata under
        `lepton.as_of`, as JSON.
        """
        self._rights.check_everywhere("sql")
        answer = self._asked(query, params, as_of, wait_for, timeout)  # pyright: ignore[reportUnknownVariableType]
        return versions.unsealed.unsealed(answer, lambda: self._home.workspace.actors.all()) if opened else answer  # pyright: ignore

    def find(
        self, expression: str, *, most: int | None = None, after: str | None = None, as_of: int | None = None
    ) -> Versions:
        """The versions for which `metric.f1 > 0.8 and note.ticket = 'RISK-12' and version.actor = 'ada'` holds.

        docs/expressions.md is the grammar. Of a version there are `actor`, `message`, `description`, `branch` and
        `run`, as they are opened here. In pages: `most` of them, those behind `after` (`MODEL@N`, the last one of the
        page before), all as of one `as_of`, the `seq` at which the first page was asked for.
        """
        if self._rights.everywhere and (most, after, as_of, self._past) == (None, None, None, None):
            matches = self._matching(expression)
        else:
            matches = self._matching(expression, self._following(most, after, as_of))
        return Versions(self._workspace.version(self._workspace.model(ref.model), ref.number) for ref in matches)

    def events(
        self, *, after: int = 0, stream: str | None = None, follow: bool = False, opened: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Events as CloudEvents dictionaries behind `seq` `after`, free text opened; `follow` waits for more."""
        return versions.feed.events(self._workspace, after=after, stream=stream, follow=follow, opened=opened)

    def position(self) -> int:
        """The `seq` of the last event, which `wait_for` and `as_of` take."""
        return self._workspace.ledger.store.end()

    def status(self) -> Status:
        """How the ledger is: how far its log, its topic and its views are, and what is away.

        It waits seconds at most for what is away. Where the home lies, and why something is away, is told to those
        alone who may do everything.
        """
        state = self._home.status()
        if self._rights.unlimited:
            return state
        self._rights.check("read")
        return replace(state, home={}, complaints=(), unknown=dict.fromkeys(state.unknown, "it is away"))

    @_administered
    def verify(
        self,
        *,
        against: str | os.PathLike[str] | None = None,
        key: str | Sequence[str] | None = None,
        leaves: str | os.PathLike[str] | None = None,
    ) -> Verified:
        """Recompute the Merkle root from the stored bytes, and compare all that stands beside them. Raises `Damaged`.

        It proves that the ledger is whole in itself; that nobody rewrote all of it, only a root or a signed head kept
        elsewhere proves: `against` is the file of one, or of many, and `NotAsSigned` (a `Damaged`) is raised where the
        log does not go on from it. It names the first event that differs where `leaves`, the file that `sign_head`
        wrote with the head, or another head close by tells that, else the events among which it is. `key` is the
        verifier key, or several, of which one must have signed the heads. Names of actors are in no event, so nothing
        proves which name a pseudonym stood for.
        """
        if against is None:
            return versions.fsck.verify(self._workspace)
        file, keys = (
            checked_path(os.fspath(against), "the file of the head"),
            versions.heads.keys_of(key, self._settings),
        )
        beside = _path_of(leaves, "the file of the leaves")
        return versions.against.verify_against(self._workspace, heads_in(file, keys), beside)

    @_administered
    def sign_head(
        self,
        output: str | os.PathLike[str] | None = None,
        *,
        key_file: str | os.PathLike[str] | None = None,
        key_command: str | None = None,
        verifier: str | None = None,
        leaves: str | os.PathLike[str] | None = None,
    ) -> SignedHead:
        """Sign where the log ends: its size, Merkle root and the time, as a C2SP checkpoint, to be kept elsewhere.

        The key is that of `key_file`, or `key_command` signs, under the key that `verifier` verifies; else what
        LEPTON_SIGNING_KEY, LEPTON_SIGNING_COMMAND and LEPTON_VERIFIER_KEY say. The head is written to `output`; one
        that is there must be of this ledger's history. `leaves` is a file for the hash of every event, 32 bytes each,
        by which `verify` can name the first event that differs.
        """
        signer = versions.heads.signer_of(self._settings, key_file, key_command, verifier)
        files = _path_of(output, "the file of the head"), _path_of(leaves, "the file of the leaves")
        return versions.heads.sign_head(self._workspace, signer, *files)

    def prove(
        self,
        what: Rev | None = None,
        output: str | os.PathLike[str] | None = None,
        *,
        since: str | os.PathLike[str] | None = None,
        head: str | os.PathLike[str] | None = None,
        key: str | Sequence[str] | None = None,
        key_file: str | os.PathLike[str] | None = None,
        key_command: str | None = None,
        verifier: str | None = None,
    ) -> Proof:
        """A proof for who has no ledger: that an event is in the log, or that the log goes on from a head.

        `what` is an event's `seq`, or a revision: of a branch or alias its last move is proved, of a tag its binding,
        of a version its commit. `since` is the file of an earlier head instead. It is a proof under the head in the
        file `head`, else under the log's end, which is signed as `sign_head` does if there is a key. `key` is the
        verifier key of the heads that are given. The proof is written to `output`; `lepton_ai.verify_proof` checks it.
        """
        if (what is None) == (since is None):
            raise Malformed("a proof is of an event or since a head; give one of the two")
        keys = versions.heads.keys_of(key, self._settings)
        signer = versions.heads.signer_if_any(self._settings, key_file, key_command, verifier)
        known = versions.proving.head_to_prove(self._workspace, _path_of(head, "the file of the head"), keys, signer)
        if what is not None:
            seq = versions.proving.event_of(self._workspace, _written(self._arrived(what)))
            proof = versions.proving.prove_event(self._workspace, seq, known)
        else:
            file = checked_path(os.fspath(cast("str", since)), "the file of the earlier head")
            proof = versions.proving.prove_since(self._workspace, last_head_in(file, keys), known)
        if output is not None:
            file = checked_path(os.fspath(output), "the file of the proof")
            write_whole(file, proof.written().encode())
        return proof

    @_administered
    def fsck(self, *, events: bool = True, objects: bool = True, projection: bool = True) -> Damages:
        """Read every row, object and view, and name what is damaged."""
        parts = {"events": events, "objects": objects, "projection": projection}
        return versions.fsck.Damages(versions.fsck.fsck(self._workspace, self._home.read_model, parts))

    @_administered
    def heal(self, *places: str | os.PathLike[str]) -> Healed:
        """Write again what damaged packs held, from whole copies: in the ledger's own store, its spool, or `places`.

        A place is a folder or a URL as LEPTON_OBJECTS takes, such as a backup of the objects. `fsck` says what is left.
        Raises `Unavailable` where a store is away.
        """
        return versions.heal.heal(self._workspace, self._home.copies(places))

    @_administered
    def rebuild(self) -> int:
        """Make the read model anew from the log: the `seq` it reached."""
        self._home.seek()
        return self._home.read_model().rebuild()

    @_administered
    def rebuild_from_kafka(self) -> int:
        """Make the read model anew from the topic of events, knowing no database: the `seq` it reached."""
        self._home.read_model().check_alone()
        with self._home.kafka_log() as log, self._home.projection(log) as projection:
            return projection.rebuild()

    @_administered
    def snapshot(self, to: str | os.PathLike[str]) -> None:
        """Copy the read model to a file of its own, to be opened with DuckDB elsewhere."""
        self._home.seek()
        self._home.read_model().snapshot(checked_path(os.fspath(to), "the snapshot"))

    @_administered
    def upgrade(self, *, dry_run: bool = False) -> Upgraded:
        """Bring a ledger of an older Lepton to today's format, with a copy made first; `dry_run` changes nothing."""
        return self._home.upgrade(dry_run=dry_run)

    @_administered
    @_told_first
    def create_token(
        self,
        owner: str,
        scopes: str | Sequence[str],
        *,
        models: str | Sequence[str] = "*",
        expires: str | date | timedelta | None = None,
        key: str | None = None,
    ) -> CreatedToken:
        """Make a token: whoever holds its `secret`, which is shown in this answer alone, acts as its owner.

        `scopes` are of read, write, move, admin, sql: write and move imply read, admin implies all. `models` are globs
        of models' names; others are to its holder as if they were not there. It `expires` after a term (`30d`, `12h`,
        a timedelta), at a date or a time; never, if left out. Repeated under its key the answer has no secret.
        """
        return versions.tokens.create(self._workspace, owner, _several(scopes), _several(models), expires, key)

    @_administered
    def tokens(self) -> Tokens:
        """All tokens, the oldest first, with those that have expired or were revoked."""
        return versions.tokens.listed(self._workspace)

    @_administered
    @_told_first
    def revoke_token(self, token: str, *, reason: str = "", key: str | None = None) -> TokenRecord:
        """Let a token, named by its id or a part of it, be good no more: within a second at every server."""
        return versions.tokens.revoke(self._workspace, token, reason, key)

    @_administered
    def holder(self, secret: str) -> TokenHolder | None:
        """Whoever holds a token with this secret; None where there is none, or it is good no more."""
        return self._workspace.holders.of(secret)

    @_administered
    @_told_first
    def forget_actor(self, name: str) -> bool:
        """Delete a person's or an outside source's name and key: whether there was one; no hash changes.

        Their texts and their refused messages show as [forgotten]. What stands in this home's spool loses their name
        and their words. Their tokens are revoked.
        """
        versions.tokens.revoke_all(self._workspace, name)
        spooled = self._home.outbox.delivery.forget(name)
        return self._workspace.actors.forget(name) or spooled

    # ── the inside ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _home(self) -> Home:
        home, root = self._opened.get(os.getpid()), None if self._root is None else self._root._home
        if home is not None and home.root is root:
            return home
        if root is not None:
            self._opened[os.getpid()] = home = root.acting(self._settings.actor, self._rights)
            return home
        from .wiring import Home

        # threads that come at once get the same one
        return self._opened.setdefault(os.getpid(), Home(self._settings, self._strict, self._origins))

    def _asked(  # pyright: ignore[reportUnknownParameterType]
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        as_of: int | datetime | date | str | None = None,
        wait_for: int | None = None,
        timeout: float = 60.0,
    ) -> pa.Table:
        """What the views say, whoever asks."""
        from .projections.queries.client import Question
        from .projections.queries.opening import opens
        from .projections.queries.query import checked_timeout

        self._home.seek()
        as_of = self._past if as_of is None else as_of
        question = Question(query, params, as_of, checked_timeout(timeout), self._opener() if opens(query) else None)
        return self._home.read_model().sql(question, wait_for)  # pyright: ignore[reportUnknownVariableType]

    def _opener(self) -> Opener:
        from .projections.queries.opening import Opener

        return Opener(lambda: self._home.workspace.actors.all())

    def _matching(self, expression: str, page: SearchPage | None = None) -> list[VersionRef]:
        from .projections.queries.search import needs_keys

        self._rights.check("read")
        self._home.seek()
        matches = self._home.read_model().find(expression, self._opener() if needs_keys(expression) else None, page)
        return [ref for ref in matches if self._rights.covers(ref.model)]

    def _following(self, most: int | None, after: str | None, as_of: int | None) -> Following:
        from .projections.queries.search import Following

        behind = None if after is None else self._resolved(after)
        model, version = ("", 0) if behind is None else (behind.model.name, behind.number)
        end = self.position()
        return Following(
            min(end, end if as_of is None else as_of), most or sys.maxsize, model, version, self._readable()
        )

    def _readable(self) -> list[str] | None:
        """The models that may be read; None for all."""
        return None if self._rights.everywhere else self.models()

    def _numbers(self, expression: str, model: str, page: VersionPage) -> list[int]:
        from .projections.queries.search import Newest

        newest = Newest(model, page.most, page.branch, page.before, self._past, self._readable())
        return [ref.number for ref in self._matching(expression, newest)]

    @property
    def _spool(self) -> Spool:
        return self._home.outbox.delivery.spool

    def _refused_at_the_door(
        self, method: str, given: Sequence[Any], named: Mapping[str, Any], error: Exception
    ) -> None:
        """Keep what `save_version` was given with an argument that it does not take."""
        if method == "save_version" and (model := given[0] if given else named.get("model")) is not None:
            arguments = {name: value for name, value in named.items() if name not in ("self", "model", "name", "key")}
            self._home.outbox.keep_refused(model, named.get("name"), arguments, error)

    @property
    def _workspace(self) -> Workspace:
        # what reads makes no ledger: `save_version`, `train`, `run`, `jobs.train` and `jobs.offer` do
        self._home.seek()
        workspace = self._home.workspace
        if self._past is None:
            return workspace
        if self._then is None or self._then[0] is not workspace:
            self._then = workspace, workspace.as_of(self._past)
        return self._then[1]

    @property
    def _outbox(self) -> Outbox:
        """The way into the ledger; it leads to the present alone."""
        self._check_present()
        return self._home.outbox

    def _tell_first(self) -> None:
        """Tell the ledger what waits in the spool."""
        self._outbox.ready()
        self._home.seek()

    def _check_present(self) -> None:
        """Raise `Refused` where the ledger is looked at as it was."""
        if self._past is not None:
            raise ReadOnly(self._past)

    def _no_desk(self) -> Desk:
        raise ReadOnly(self._past or 0)

    def _place(self, at: int | datetime | date | str) -> int:
        """The event behind which the ledger is looked at. Raises `Malformed` where it has not come so far."""
        from .projections.queries.query import place, resolved  # pyright: ignore[reportUnknownVariableType]

        if isinstance(when := place(at) if isinstance(at, str) else at, date):
            found = resolved(cast(Any, self._asked("SELECT 1", as_of=when)).schema)
            return int(found["seq"]) if found else 0
        end = self.position()
        if not 0 <= when <= end:
            raise Malformed(f"the ledger ends at event {end}, and none of its places is {when}; ask as of one")
        return when

    def _known(self, model: str | None) -> ModelState:
        return self._workspace.known_model(model)

    def _resolved(self, rev: Rev, model: str | None = None, key: str | None = None) -> ModelVersion:
        return self._as_first(key, lambda workspace: workspace.resolve(self._arrived(rev), model))

    def _guard(self, rev: Expected, model: str, key: str | None = None) -> int | LastMove:
        if isinstance(rev, LastMove):
            return rev
        return self._as_first(key, lambda workspace: workspace.guard(self._arrived(rev), model))

    def _as_first(self, key: str | None, resolve: Callable[[Workspace], T]) -> T:
        """What words come to; where they name nothing by now, what they came to when the key was used first."""
        workspace = self._workspace
        try:
            return resolve(workspace)
        except UnknownRevision:
            if not (known := workspace.known(key)):
                raise
            return resolve(workspace.as_of(known[0].seq - 1))

    def _arrived(self, rev: Rev) -> str | int:
        """A revision, with the number of a version that was pending. Raises `Unavailable` where it has none yet."""
        return self._home.outbox.delivery.arrived(rev) if isinstance(rev, PendingVersion) else rev

    def _of_one_model(
        self, revs: Iterable[Rev], model: str | None = None, key: str | None = None
    ) -> tuple[ModelState, list[int]]:
        """The versions that revisions name; the first says of which model all of them are."""
        numbers: list[int] = []
        for rev in revs:
            state, number = self._resolved(rev, model, key)
            model, numbers = state.name, [*numbers, number]
        return self._known(model), numbers

    def _of(self, rev: Rev, expected: Expected | None = None, key: str | None = None) -> dict[str, Any]:
        """The model and version that a revision names, as a command is told of them; and what is expected, if it is."""
        model, number = self._resolved(rev, key=key)
        told: dict[str, Any] = {"model": model.name, "version": number, "asked": {"version": _written(rev)}}
        if expected is not None:
            told["expected"] = self._guard(expected, model.name, key)
            told["asked"]["expected"] = _written(expected)
        return told

    def _named(self, model: str | None, expected: Expected | None) -> dict[str, Any]:
        """A model, and where a name of it is expected to be, as a command is told of them."""
        name = self._known(model).name
        if expected is None:
            return {"model": name}
        return {"model": name, "expected": self._guard(expected, name), "asked": {"expected": _written(expected)}}

    def _bound(
        self, command: commands.CreateBranch | commands.CreateTag | commands.ClearVersion, key: str | None
    ) -> Version:
        """Bind a name to a version, or clear it; its event tells which, also when it is sent again."""
        events = self._workspace.admit(command, key).events
        number = getattr(events[0].event, "version", command.version) if events else command.version
        return self._workspace.version(self._known(command.model), number)

    def _aim(
        self,
        to: Rev | None,
        model: str | None,
        branch: str,
        alias: str | None,
        expected: Expected | None,
        reason: str,
        move_aliases: Sequence[str],
        rehearse: Any,
        override: bool,
        key: str | None,
    ) -> tuple[ModelState, Aim]:
        state, number = (self._known(model), None) if to is None else self._resolved(to, model, key)
        wanted = None if expected is None else self._guard(expected, state.name, key)
        return state, versions.rollback.Aim(
            branch=branch,
            alias=alias,
            to=number,
            expected=wanted,
            asked=_words({"to": to} if expected is None else {"to": to, "expected": expected}),
            reason=reason,
            move_aliases=tuple(move_aliases),
            rehearse=versions.rows.read_once(self._workspace, rehearse),
            override=override,
        )


def _reopened(kind: type[ModelManager], carried: Settings, strict: bool) -> ModelManager:
    manager = object.__new__(kind)
    manager._open(settings.completed(carried), strict)  # pyright: ignore[reportPrivateUsage]
    return manager


def _acting_again(root: ModelManager, actor: str, rights: Rights, past: int | None) -> ModelManager:
    manager = root.acting(actor, rights)
    return manager if past is None else manager.as_of(past)


def _path_of(given: str | os.PathLike[str] | None, what: str) -> Path | None:
    return None if given is None else checked_path(os.fspath(given), what)


def _written(rev: Expected) -> str:
    """A revision as text that says all it knows; or which last move is expected."""
    return versions.save_request.words(rev)


def _several(texts: str | Sequence[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _words(revs: Mapping[str, Expected | None]) -> dict[str, str | None]:
    """Revisions as the caller wrote them."""
    return {name: None if rev is None else _written(rev) for name, rev in revs.items()}
