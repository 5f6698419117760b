"""Names of a server's versions: branches, tags, aliases, what protects them, and how branches are moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final, cast

from ...domain.model.revision import parts
from ...errors import Malformed, UnknownRevision
from ...results import LastMove, Log, LogEntry
from ...versions.arguments import checked
from .asked import PAGE, Asking, model_at, over_http, quoted
from .rows import rows_asked

_KINDS: Final = {"branch": "branches", "tag": "tags", "alias": "aliases"}
_WHATEVER: Final = {"If-None-Match": '"-"'}
"""What a move is conditional on that is to happen wherever the name stands: no last move is that."""


@checked
class NamedOverHTTP(Asking):
    """`branch`, `tag`, `aliases`, `protect`, `rollback`, `merge` and their like; `alias` is the local manager's own."""

    @over_http
    def branch(self, given: Any) -> Any:
        return self._put("branches", given)

    @over_http
    def tag(self, given: Any) -> Any:
        return self._put("tags", given)

    @over_http
    def branches(self, given: Any) -> Any:
        return self._read(model_at(given.model, "branches"))

    @over_http
    def tags(self, given: Any) -> Any:
        return self._read(model_at(given.model, "tags"))

    @over_http
    def aliases(self, given: Any) -> Any:
        if not given.moves:
            return self._read(model_at(given.model, "aliases"))
        moves = {name: self._within(given.model, rev) for name, rev in given.moves.items()}
        wanted: dict[str, Any] = dict(given.expected or {})
        expected = {name: self._believed(given.model, where) for name, where in wanted.items()}
        body: dict[str, Any] = {
            "moves": moves,
            "expected": expected,
            "reason": given.reason,
            "override": given.override or None,
        }
        how: dict[str, Any] = {"headers": {"If-Match": "*"}, "key": given.key}
        return self._write("PATCH", model_at(given.model, "aliases"), body, **how)

    @over_http
    def delete_branch(self, given: Any) -> None:
        self._give_up("branches", given)

    @over_http
    def delete_tag(self, given: Any) -> None:
        self._give_up("tags", given)

    @over_http
    def delete_alias(self, given: Any) -> None:
        self._give_up("aliases", given)

    @over_http
    def moves(self, given: Any) -> Any:
        if given.kind is not None and given.kind not in _KINDS:
            raise Malformed(f"{given.kind!r} is no kind of name; choose branch, tag or alias")
        found, model = list[LogEntry](), ""
        for kind in _KINDS if given.kind is None else (given.kind,):
            path = model_at(given.model, _KINDS[kind], quoted(given.name), "moves")
            with suppress(*(() if given.kind else (UnknownRevision,))):
                for page in self._remote.client.pages(path, {"most": PAGE}):
                    model = page.model
                    found += page.entries
        if not found:
            model = self.about(given.model).model
            what = "branch, tag or alias"
            raise UnknownRevision(f"{model} never had a {what} {given.name!r}; `lepton about {model}` lists its names")
        told = sorted(found, key=lambda entry: entry.seq, reverse=True)
        some = (entry for entry in told if given.before is None or entry.seq < given.before)
        return Log(model, tuple(islice(some, given.most)))

    @over_http
    def protect(self, given: Any) -> Any:
        body = {"require": _several(given.require), "against": given.against, "suite": given.suite}
        how: dict[str, Any] = {"headers": _condition(given.expected), "key": given.key}
        path = model_at(given.model, "aliases", quoted(given.alias), "protection")
        return self._write("PUT", path, body | {"reason": given.reason}, **how)

    @over_http
    def unprotect(self, given: Any) -> None:
        how: dict[str, Any] = {"headers": _condition(given.expected), "key": given.key}
        path = model_at(given.model, "aliases", quoted(given.alias), "protection")
        self._write("DELETE", path, params={"reason": given.reason or None}, **how)

    @over_http
    def protections(self, given: Any) -> Any:
        return self._read(model_at(given.model, "protections"))

    @over_http
    def rollback(self, given: Any) -> Any:
        body: dict[str, Any] = {"to": given.to and self._within(given.model, given.to), "reason": given.reason}
        body |= {"move_aliases": [*given.move_aliases], "override": given.override or None}
        body |= {"alias": given.alias} if given.alias is not None else {"branch": given.branch}
        if given.rehearse is not None:
            body["rehearse"] = _rehearsed(self._remote.client, given.rehearse)
        headers = self._expected(given.model, given.expected, body)
        if given.dry_run:
            return self._judge(model_at(given.model, "rollback-plans"), body, headers=headers)
        return self._write("POST", model_at(given.model, "rollbacks"), body, headers=headers, key=given.key)

    @over_http
    def merge(self, given: Any) -> Any:
        body = {"version": self._words(given.rev), "into": given.into, "strategy": given.strategy}
        body |= {"weight": given.weight, "message": given.message}
        headers: Mapping[str, str] = {} if given.expected is None else self._expected(None, given.expected, body)
        return self._write("POST", model_at(None, "merges"), body, headers=headers, key=given.key)

    def _put(self, kind: str, given: Any) -> Any:
        rev = self._words(given.rev)
        how: dict[str, Any] = {"headers": _condition(self._last_move(given, kind)), "key": given.key}
        return self._write("PUT", model_at(None, kind, quoted(given.name)), {"version": rev}, **how)

    def _give_up(self, kind: str, given: Any) -> None:
        headers = _condition(self._last_move(given, kind)) or _WHATEVER
        self._write("DELETE", model_at(given.model, kind, quoted(given.name)), headers=headers, key=given.key)

    def _last_move(self, given: Any, kind: str) -> LastMove | None:
        """Where a name is expected, as its last move: a version as the move that put it there, if it is there."""
        if given.expected is None or isinstance(given.expected, LastMove):
            return given.expected
        words = self._words(given.expected)
        if words == "0":
            return LastMove(0)
        model = getattr(given, "model", None) or parts(self._words(getattr(given, "rev", given.expected)))[0]
        stands = self._read(model_at(model, kind))
        version = self.show(given.expected).version
        there = given.name in stands and int(stands[given.name]) == int(version)
        return LastMove(stands.last_moves[given.name]) if there else LastMove(0, never=(0,))

    def _believed(self, model: str | None, expected: Any) -> Any:
        """Where a name is expected to be, as a body says it."""
        if not isinstance(expected, LastMove):
            return self._within(model, expected)
        if expected.seq is None or expected.others or expected.never:
            raise Malformed("over HTTP one last move is expected of a name among several; give LastMove(seq)")
        return {"last_move": expected.seq}

    def _expected(self, model: str | None, expected: Any, body: dict[str, Any]) -> Mapping[str, str]:
        """What is expected of a name, by headers, or by the body where it is a version."""
        if expected is None:
            return _WHATEVER
        if isinstance(expected, LastMove):
            return _condition(expected)
        body["expected"] = self._within(model, expected)
        return {}


def _condition(expected: LastMove | None) -> Mapping[str, str]:
    """A last move as the headers of a conditional request (RFC 9110, 13)."""
    if expected is None:
        return {}
    headers: dict[str, str] = {}
    seqs = () if expected.seq is None else (expected.seq, *expected.others)
    if seqs == (0,) and not expected.never:
        return {"If-None-Match": "*"}
    if seqs:
        headers["If-Match"] = ", ".join(f'"{seq}"' for seq in seqs)
    elif 0 in expected.never:
        headers["If-Match"] = "*"
    if never := [seq for seq in expected.never if seq]:
        headers["If-None-Match"] = ", ".join(f'"{seq}"' for seq in never)
    return headers or _WHATEVER


def _rehearsed(client: Any, rehearse: Any) -> dict[str, Any]:
    """Rows to rehearse on, as a request has them: a name, or (data, labels), or (data, labels, metric)."""
    if isinstance(rehearse, str):
        return rows_asked(client, rehearse)
    if not isinstance(rehearse, tuple) or len(rehearse := cast("tuple[Any, ...]", rehearse)) not in (2, 3):
        raise Malformed("rehearse takes (data, labels) or (data, labels, metric), or the name of data")
    data, labels, *metric = rehearse
    return rows_asked(client, data, labels) | ({"metric": metric[0]} if metric else {})


def _several(texts: str | Sequence[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else [*texts]
