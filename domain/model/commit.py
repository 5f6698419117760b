"""How a commit is decided: what it must fit, and the events it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ...errors import Condemned, Malformed, Refused, Stale, UnknownRevision
from ...events.event import Event
from ...events.model import (
    Bootstrap,
    BranchCreated,
    DeltaRecorded,
    EvaluationRecorded,
    MetricDefined,
    MetricsRecorded,
    ModelRegistered,
    Parent,
    TagCreated,
    VersionAnnotated,
    VersionCommitted,
)
from ...events.objects import PackRepacked
from ...plain import plain
from ...results import LastMove
from ..append import Append
from ..commands import OBJECTS, Commit, RecordEvaluation, Repack, Stored, model_stream
from ..guards import stands, unused, writable
from ..names import (
    changed_notes,
    checked_fields,
    checked_file,
    checked_intervals,
    checked_label,
    checked_metrics,
    checked_model,
    checked_name,
    checked_rows,
    checked_task,
    same_figure,
)
from ..state import Objects
from .figures import rows_of
from .metric import checked_better
from .recipe import canonical_digest, version_digest
from .state import ModelState, VersionState

if TYPE_CHECKING:
    from ..state import State


def commit(state: State, command: Commit) -> tuple[Append, ...]:
    """The events of a commit; only tags, notes and figures where the branch's head is what was asked for already."""
    model = cast(ModelState, state[model_stream(command.model)])
    objects = cast(Objects, state[OBJECTS])
    checked_model(command.model)
    checked_name(command.branch, "branch")
    writable(model)
    if model.head(command.branch) is None:
        unused(model, command.branch)
    if command.follows_head:
        command = _on_head(model, command)
    if others := command.other_parents:
        command = replace(command, parents=(*command.line, *others))
    stream = model_stream(command.model)
    if (unchanged := same_as_head(model, command)) is not None:
        extras = tuple(Append(stream, event) for event in _extras(model, command, unchanged.number, fresh=False))
        # the version stands, but what it rests on had to be stored anew
        return _stored(objects, command) + extras if command.stored.packs else extras
    _head_is_a_parent(model, command)
    digests = [_digest(cast(ModelState, state[model_stream(parent.model)]), parent) for parent in command.parents]
    return _stored(objects, command) + tuple(Append(stream, event) for event in _events(model, command, digests))


def _stored(objects: Objects, command: Commit) -> tuple[Append, ...]:
    return tuple(Append(OBJECTS, event) for event in kept(objects, command.stored))


def _on_head(model: ModelState, command: Commit) -> Commit:
    """The commit with the branch's head of now as its parent, where nobody named one and the head moved meanwhile.

    What the bytes were kept as is unchanged by that: they still differ from the same base.
    """
    head, line = model.head(command.branch), command.line
    if head is None or any(parent.version == head for parent in line):
        return command
    delta = command.delta
    if delta is not None and line and delta.base is None:
        delta = replace(delta, base=line[0].version)
    parent = Parent(model=command.model, version=head, role=line[0].role if line else "trained")
    return replace(command, parents=(parent, *command.other_parents), delta=delta)


def kept(objects: Objects, stored: Stored) -> Iterator[Event]:
    """The events of bytes that were stored, or `Condemned` where they rely on a pack about to be deleted."""
    named = stored.relies_on.union(pack.pack for pack in stored.packs)
    if lost := named & objects.condemned:
        raise Condemned(sorted(lost))
    yield from stored.packs
    yield from stored.manifests


def repacked(objects: Objects, command: Repack) -> Iterator[Event]:
    """The events of a damaged pack whose content was written again."""
    yield from kept(objects, command.stored)
    if command.into is not None:
        yield PackRepacked(pack=command.pack, into=command.into)


def same_as_head(model: ModelState, command: Commit) -> VersionState | None:
    """The branch's head, if committing would only repeat it: same tensors, same recipe, same parents' line."""
    head = model.head(command.branch)
    if head is None:
        return None
    version = model.version(head)
    standing = {(file.name, file.digest) for file in version.event.files}
    repeats = (
        version.event.tensors == command.tensors
        and {(file.name, file.digest) for file in command.files} <= standing
        and _is_expected(model, command, head)
        and {parent.ref for parent in command.other_parents} <= set(version.other_parents)
        and (_same_line(version, command) or _brings_nothing(model, version, command))
    )
    return version if repeats else None


def _is_expected(model: ModelState, command: Commit, head: int) -> bool:
    """Whether the branch is where the caller believes it."""
    if isinstance(command.expected, LastMove):
        return command.expected.holds(model.last_move("branch", command.branch))
    return command.expected in (None, head)


def _same_line(version: VersionState, command: Commit) -> bool:
    """Whether the parents are the head or its parents, and the recipe is its recipe."""
    parents = tuple(parent.version for parent in command.line)
    return parents in {(version.number,), version.parents} and version.event.recipe == command.recipe.digest()


def _brings_nothing(model: ModelState, version: VersionState, command: Commit) -> bool:
    """Whether it is a merge of the head with what the head contains: a merge of x with x is x."""
    parents = {parent.version for parent in command.line}
    if len(command.line) < 2 or version.number not in parents:
        return False
    if not all(model.comes_from(version.number, parent) for parent in parents):
        return False
    # how the bytes came about says only that nothing was added to them
    derivation = version.event.derivation
    return replace(command.recipe, derivation=derivation).digest() == version.event.recipe


def _head_is_a_parent(model: ModelState, command: Commit) -> None:
    """An existing branch goes on from its head; a new one opens at its parents."""
    numbers = [parent.version for parent in command.line]
    for number in numbers:
        model.version(number)
    names = [checked_file(file.name) for file in command.files]
    if len(set(names)) < len(names):
        raise Malformed("two files of a version have one name; name each once")
    if len({parent.ref for parent in command.parents}) < len(command.parents):
        raise Malformed("a version cannot be its own second parent; name each parent once")
    head = model.head(command.branch)
    stands(f"branch {command.branch!r}", command.expected, head, model.last_move("branch", command.branch))
    if head is None and not numbers and model.versions:
        raise Refused(
            f"{model.name} has no branch {command.branch!r} yet, and no parent says where it begins; open it with "
            f"`lepton branch {command.branch} REV`, or name a parent"
        )
    if head is not None and head not in numbers:
        raise Stale(
            f"branch {command.branch!r}",
            ", ".join(map(str, numbers)) or "nothing",
            head,
            "load its head and save again, or save on a branch of its own",
        )


def _digest(model: ModelState, parent: Parent) -> str:
    """The digest of a parent, or `UnknownRevision`: it may be a version of any model of the ledger's."""
    if not model.registered:
        raise UnknownRevision(f"there is no model {parent.model!r} to be a parent's; `lepton models` lists them")
    return model.version(parent.version).event.digest


def _events(model: ModelState, command: Commit, digests: Iterable[str]) -> Iterator[Event]:
    number, line = model.next_number, command.line
    if not model.registered:
        yield ModelRegistered(model=command.model)
    if model.head(command.branch) is None and line:
        yield BranchCreated(branch=command.branch, version=line[0].version)
    recipe = command.recipe.plain()
    recipe_digest = canonical_digest(recipe)
    parents = zip(digests, (checked_label(parent.role, "parent's role") for parent in command.parents), strict=True)
    yield VersionCommitted(
        version=number,
        digest=version_digest(command.tensors, parents, recipe_digest),
        branch=command.branch,
        parents=command.parents,
        tensors=command.tensors,
        tensor_count=command.tensor_count,
        parameters=command.parameters,
        bytes=command.bytes,
        keyframe=command.keyframe,
        recipe=recipe_digest,
        **recipe,
        environment=plain(command.environment, "environment"),
        code=plain(command.code, "code"),
        metrics=checked_metrics(command.metrics),
        validation=None if command.validation is None else plain(command.validation, "validation"),
        task=checked_task(command.task),
        files=command.files,
        run=command.run,
        message=command.message,
    )
    if command.delta is not None:
        if not line:
            raise Malformed("a delta leads from a parent, and none was named; store the tensors whole")
        yield DeltaRecorded(
            from_version=command.delta.base or line[0].version,
            to_version=number,
            digest=command.delta.digest,
            bytes=command.delta.bytes,
            elements=command.delta.elements,
            tensors=command.delta.tensors,
            two_way=command.delta.two_way,
        )
    yield from _extras(model, command, number, fresh=True)


def _extras(model: ModelState, command: Commit, number: int, *, fresh: bool) -> Iterator[Event]:
    """Tags, notes and directions, and on a version that stands already the figures that are new."""
    for tag in dict.fromkeys(command.tags):
        if model.tags.get(tag) != number:
            yield free_tag(model, tag, number, branch=command.branch)
    if notes := changed_notes(command.annotations, model.notes.get(number, {})):
        yield VersionAnnotated(version=number, annotations=notes)
    if not fresh and (new := _new_figures(model, command, number)):
        rows = None if command.validation is None else plain(command.validation, "validation")
        yield MetricsRecorded(version=number, metrics=new, validation=rows, task=checked_task(command.task))
    yield from defined(model, command.better)


def _new_figures(model: ModelState, command: Commit, number: int) -> dict[str, float]:
    """The figures that the version does not have yet, on the rows that they are of."""
    known = model.figures_of(number).known(rows_of(command.validation))
    return {
        name: value
        for name, value in checked_metrics(command.metrics).items()
        if name not in known or not same_figure(known[name].value, value)
    }


def evaluated(state: State, command: RecordEvaluation) -> tuple[Append, ...]:
    """How a version did on a data set, and which way its figures are better where that is news."""
    model = cast(ModelState, state[model_stream(command.model)])
    recorded = EvaluationRecorded(
        version=model.version(command.version).number,
        data=plain(command.data, "data"),
        name=checked_rows(command.name),
        metrics=checked_metrics(command.metrics),
        task=checked_task(command.task),
        intervals=None if command.intervals is None else checked_intervals(command.intervals),
        bootstrap=None if command.bootstrap is None else checked_fields(Bootstrap, command.bootstrap, "bootstrap"),
        report=command.report,
    )
    events = (recorded, *defined(model, command.better))
    stored = () if command.report is None else kept(cast(Objects, state[OBJECTS]), command.stored)
    stream = model_stream(command.model)
    return (*(Append(OBJECTS, each) for each in stored), *(Append(stream, event) for event in events))


def defined(model: ModelState, better: Mapping[str, str]) -> Iterator[Event]:
    """Which way metrics are better, where that is news."""
    for name, way in checked_better(better).items():
        if model.better.get(checked_label(name, "metric")) != way:
            yield MetricDefined(name=name, better=way)


def check_tags(model: ModelState, branch: str, tags: Iterable[str]) -> None:
    """Refuse ahead of a save what it would be refused for: a tag in use elsewhere than on what it may repeat."""
    for tag in tags:
        if tag not in model.tags or model.tags[tag] != model.head(branch):
            free_tag(model, tag, model.next_number, branch=branch)


def free_tag(model: ModelState, tag: str, number: int, *, branch: str | None = None) -> TagCreated:
    """The event that binds a tag, or `Refused` where the name is in use; `branch` is a name about to be."""
    checked_name(tag, "tag")
    if (bound := model.tags.get(tag)) is not None:
        ways = ("save without it", "delete it first") if branch else ("delete it first",)
        raise Refused(
            f"tag {tag!r} is on version {bound} already; tags do not move: {', '.join(ways)}, or use an alias"
        )
    if tag == branch:
        raise Refused(f"{tag!r} is a branch of {model.name}; branches, tags and aliases share one name space")
    unused(model, tag)
    return TagCreated(tag=tag, version=number)
