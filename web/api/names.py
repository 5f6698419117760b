"""Names of versions: branches, tags and aliases, each with its last move as its ETag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from pydantic import Field
from starlette.responses import Response

from ...errors import Malformed, UnknownRevision
from ...manager import ModelManager
from ...results import LastMove, Log, Refs, Version
from ...results.shapes.history import LOG
from ...results.shapes.names import ALIASES, BRANCHES, NAME, TAGS
from ..caller import Call, Caller
from ..cursors import USUAL, Cursor, Most, paging
from ..described import MOVES, answers
from ..preconditions import of_collection, required
from ..routing import Router
from .rows_asked import RequestBody

router = Router("names")
T = TypeVar("T")
Kind = Literal["branch", "tag", "alias"]
PLURAL: Final[Mapping[Kind, str]] = {"branch": "branches", "tag": "tags", "alias": "aliases"}

Rev = str | int
"""A revision of the model that the address names; with `-` there it names its model."""


class Seen(RequestBody):
    """The last move of a name, as somebody saw it."""

    last_move: int = Field(ge=0, description="Its seq, the ETag of the name; 0 for nothing there.")


Believed = Seen | Rev
"""Where a name is expected to be: on a version, 0 for nowhere, or where its last move left it."""


class NameAsked(RequestBody):
    """A branch or a tag."""

    version: Rev = "main"


class AliasAsked(RequestBody):
    """Where an alias is put."""

    version: Rev
    expected: Believed | None = Field(None, description="Where it is believed to be, in the place of If-Match.")
    reason: str = ""
    override: bool = Field(False, description="Without the gate that protects it, for the reason.")


class AliasesAsked(RequestBody):
    """Several aliases that move together, all or none."""

    moves: dict[str, Rev] = Field(min_length=1, max_length=1000)
    expected: dict[str, Believed] = Field(default_factory=dict[str, Believed])
    reason: str = ""
    override: bool = False


def believed(call: Caller, model: str, where: Believed | None) -> str | LastMove | None:
    """Where a name is expected to be, as the SDK takes it."""
    if where is None:
        return None
    return LastMove(where.last_move) if isinstance(where, Seen) else expected_rev(call, model, where)


def expected_rev(call: Caller, model: str, where: Rev) -> str:
    """A revision that something is expected to be, 0 for nowhere."""
    return "0" if str(where) == "0" else call.rev(model, str(where))


def expectation(call: Caller, model: str, where: Believed | None) -> str | LastMove | None:
    """What a request expects of a name: by a header, or in its body. Raises `Malformed` where by both."""
    by_header, by_body = call.precondition(), believed(call, model, where)
    if by_header is not None and by_body is not None:
        raise Malformed("a precondition stands in a header and in the body; send one of the two")
    return by_body if by_header is None else by_header


def standing(manager: ModelManager, kind: Kind, model: str | None) -> Refs:
    """The names of a kind."""
    match kind:
        case "branch":
            return manager.branches(model)
        case "tag":
            return manager.tags(model)
        case "alias":
            return manager.aliases(model=model)


def entry(refs: Refs, name: str) -> dict[str, Any]:
    """A name as JSON: its version, and its last move."""
    return {"name": name, **refs[name].to_dict(), "last_move": refs.last_moves[name]}


# ── what stands ──────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/models/{model}/branches", summary="The branches", responses=answers(BRANCHES, etag=True))
def branches(call: Call, model: str) -> Response:
    """The branches of a model and their heads; the ETag is the last move of any."""
    return _list(call, model, "branch")


@router.get("/models/{model}/tags", summary="The tags", responses=answers(TAGS, etag=True))
def tags(call: Call, model: str) -> Response:
    """The tags of a model and their versions; the ETag is the last one that was bound or given up."""
    return _list(call, model, "tag")


@router.get("/models/{model}/aliases", summary="The aliases", responses=answers(ALIASES, etag=True))
def aliases(call: Call, model: str) -> Response:
    """The aliases of a model and where they stand; the ETag is the last move of any."""
    return _list(call, model, "alias")


@router.get("/models/{model}/branches/{name}", summary="A branch", responses=answers(NAME, etag=True))
def branch(call: Call, model: str, name: str) -> Response:
    """The head of a branch; the ETag is its last move."""
    return _show(call, model, "branch", name)


@router.get("/models/{model}/tags/{name}", summary="A tag", responses=answers(NAME, etag=True))
def tag(call: Call, model: str, name: str) -> Response:
    """The version of a tag."""
    return _show(call, model, "tag", name)


@router.get("/models/{model}/aliases/{name}", summary="An alias", responses=answers(NAME, etag=True))
def alias(call: Call, model: str, name: str) -> Response:
    """Where an alias stands; the ETag is its last move, which If-Match takes."""
    return _show(call, model, "alias", name)


@router.get("/models/{model}/branches/{name}/moves", summary="The moves of a branch", responses=answers(LOG, page=True))
def branch_moves(call: Call, model: str, name: str, most: Most = USUAL, cursor: Cursor = None) -> Response:
    """All moves of a branch, newest first, also of one that was given up."""
    return _moves(call, model, "branch", name, most, cursor)


@router.get("/models/{model}/tags/{name}/moves", summary="The moves of a tag", responses=answers(LOG, page=True))
def tag_moves(call: Call, model: str, name: str, most: Most = USUAL, cursor: Cursor = None) -> Response:
    """When a tag was bound and given up, newest first."""
    return _moves(call, model, "tag", name, most, cursor)


@router.get("/models/{model}/aliases/{name}/moves", summary="The moves of an alias", responses=answers(LOG, page=True))
def alias_moves(call: Call, model: str, name: str, most: Most = USUAL, cursor: Cursor = None) -> Response:
    """All moves of an alias, newest first, also of one that was given up."""
    return _moves(call, model, "alias", name, most, cursor)


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


@router.put(
    "/models/{model}/branches/{name}", summary="Open a branch", responses=answers(NAME, marks=(MOVES,), new=True)
)
def put_branch(call: Call, model: str, name: str, asked: NameAsked) -> Response:
    """Open a branch at a version; one that stands there already is left as it is, one elsewhere is refused."""
    rev, expected = call.rev(model, str(asked.version)), call.precondition()
    act = lambda: call.manager.branch(name, rev, expected=expected, key=call.key)  # noqa: E731
    return _put(call, "branch", name, act, _left(call, "branch"))


@router.put("/models/{model}/tags/{name}", summary="Bind a tag", responses=answers(NAME, marks=(MOVES,), new=True))
def put_tag(call: Call, model: str, name: str, asked: NameAsked) -> Response:
    """Bind a tag to a version for good."""
    rev, expected = call.rev(model, str(asked.version)), call.precondition()
    act = lambda: call.manager.tag(name, rev, expected=expected, key=call.key)  # noqa: E731
    return _put(call, "tag", name, act, _left(call, "tag"))


@router.put(
    "/models/{model}/aliases/{name}",
    summary="Put an alias on a version",
    responses=answers(NAME, marks=(MOVES,), new=True),
)
def put_alias(call: Call, model: str, name: str, asked: AliasAsked) -> Response:
    """Put an alias on a version, if its last move is the one expected: by If-Match, If-None-Match or in the body."""
    rev, expected = call.rev(model, str(asked.version)), expectation(call, model, asked.expected)
    told: dict[str, Any] = {"reason": asked.reason, "override": asked.override, "key": call.key}
    if expected is None:
        required(None)
    stood: list[Refs] = []

    def move() -> Version:
        guard = None if expected is None else {name: expected}
        stood.append(call.manager.aliases({name: rev}, expected=guard, **told))
        return stood[0][name]

    return _put(call, "alias", name, move, lambda _: stood[0])


@router.patch(
    "/models/{model}/aliases", summary="Put several aliases on versions", responses=answers(ALIASES, marks=(MOVES,))
)
def move_aliases(call: Call, model: str, asked: AliasesAsked) -> Response:
    """Put several aliases on versions, all or none; If-Match is the last move of any alias, or * for whichever."""
    collection = of_collection(call.request.headers)
    if "*" in asked.expected:
        raise Malformed("expected names single aliases; If-Match is for all of them together")
    expected: dict[str, str | LastMove] = {
        name: where for name, each in asked.expected.items() if (where := believed(call, model, each)) is not None
    }
    if not asked.moves.keys() <= expected.keys():
        required(collection)
    if collection is not None:
        expected["*"] = collection
    moves = {name: call.rev(model, str(rev)) for name, rev in asked.moves.items()}
    told: dict[str, Any] = {"reason": asked.reason, "override": asked.override, "key": call.key}
    return call.wrote(
        lambda: call.manager.aliases(moves, expected=expected, model=call.model(model), **told),
        body=_table,
        etag=lambda refs: str(refs.last),
    )


@router.delete("/models/{model}/branches/{name}", summary="Give up a branch", responses=answers({}, marks=(MOVES,)))
def delete_branch(call: Call, model: str, name: str) -> Response:
    """Give up a branch's name; its versions stay."""
    return _give_up(call, model, name, call.manager.delete_branch)


@router.delete("/models/{model}/tags/{name}", summary="Give up a tag", responses=answers({}, marks=(MOVES,)))
def delete_tag(call: Call, model: str, name: str) -> Response:
    """Give up a tag."""
    return _give_up(call, model, name, call.manager.delete_tag)


@router.delete("/models/{model}/aliases/{name}", summary="Give up an alias", responses=answers({}, marks=(MOVES,)))
def delete_alias(call: Call, model: str, name: str) -> Response:
    """Give up an alias, unless it is protected."""
    return _give_up(call, model, name, call.manager.delete_alias)


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _list(call: Caller, model: str, kind: Kind) -> Response:
    refs = standing(call.manager, kind, call.model(model))
    return call.read(refs, body=_table(refs), etag=str(refs.last))


def _show(call: Caller, model: str, kind: Kind, name: str) -> Response:
    refs = _there(call.manager, call.model(model), kind, name)
    return call.read(refs[name], body=entry(refs, name), etag=str(refs.last_moves[name]))


def _moves(call: Caller, model: str, kind: Kind, name: str, most: int, cursor: str | None) -> Response:
    asked = paging(call, most, cursor)
    before = asked.up_to + 1 if asked.after is None else asked.after
    whole = call.manager.moves(name, kind, model=call.model(model), before=before, most=most + 1)
    page = asked.page(whole.entries, lambda move: move.seq)
    answer = Log(whole.model, tuple(page.rows))
    response = call.read(answer, body=answer.to_dict() | {"next": page.next})
    response.headers.update(page.headers)
    return response


def _put(call: Caller, kind: Kind, name: str, act: Callable[[], Version], left: Callable[[Version], Refs]) -> Response:
    """Put a name on a version: 201 where it stood nowhere. `left` gives the names as the write left them: sent again
    under its key, the answer is what it was."""
    stood: list[Refs] = []

    def tag_of(version: Version) -> str | None:
        stood.append(left(version))
        return str(stood[0].last_moves[name]) if name in stood[0] else None

    def told(version: Version) -> dict[str, Any]:
        return entry(stood[0], name) if name in stood[0] else version.to_dict()

    response = call.wrote(act, etag=tag_of, body=told)
    if _is_new(call, kind, name, stood[0]):
        response.status_code = 201
    return response


def _left(call: Caller, kind: Kind) -> Callable[[Version], Refs]:
    return lambda version: standing(call.after, kind, version.model)


def _is_new(call: Caller, kind: Kind, name: str, stood: Refs) -> bool:
    """Whether a write put a name somewhere that had stood nowhere."""
    if call.recorded is None or name not in stood:
        return False
    moves = call.manager.moves(name, kind, model=stood[name].model, before=call.recorded + 1, most=1)
    return next(iter(moves)).from_version is None


def _give_up(call: Caller, model: str, name: str, give_up: Callable[..., None]) -> Response:
    expected = required(call.precondition())
    return call.wrote(lambda: give_up(name, model=call.model(model), expected=expected, key=call.key))


def _there(manager: ModelManager, model: str | None, kind: Kind, name: str) -> Refs:
    """The names of a kind, if this is one. Raises `UnknownRevision`."""
    refs = standing(manager, kind, model)
    if name not in refs:
        raise UnknownRevision(f"there is no {kind} {name!r}; GET /api/v1/models/MODEL/{PLURAL[kind]} lists them")
    return refs


def _table(refs: Refs) -> dict[str, Any]:
    return {refs.kind: {name: entry(refs, name) for name in refs}}
