"""The laws of the read model: live, rebuilt and as-of views agree, whatever the batches, and so does the domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lepton_ai.domain.model.state import ModelState, evolve
from lepton_ai.events.envelope import decode
from lepton_ai.projections.check import compare
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.schema import schema

from ..examples import examples
from .past import Past, pasts

VIEWS = tuple(view.name for view in schema().views)
LAW = settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def projection(past: Past) -> Iterator[Projection]:
    with TemporaryDirectory() as folder, Projection(Path(folder), past, wait=0) as held:
        yield held


def all_views(held: Projection, at: str = "") -> dict[str, list[Any]]:
    """Every view's rows, in an order of their own; NaN as text, since it is not equal to itself."""
    with held.reading() as cursor:
        answers = {name: cursor.sql(f"FROM {name}{at} ORDER BY ALL").to_arrow_table() for name in VIEWS}
    return {name: [repr(row) for row in table.to_pylist()] for name, table in answers.items()}


@LAW
@given(past=pasts(most=12), data=st.data())
def test_live_rebuild_and_any_batches_agree_at_every_seq(past: Past, data: st.DataObject) -> None:
    then: dict[int, dict[str, list[Any]]] = {}
    with projection(past) as live:
        for row in past.rows:
            live.apply([row])
            then[row.seq] = all_views(live)
    with projection(past) as batched:
        while (position := batched.position) < past.end():
            batched.apply(past.read(position, data.draw(st.integers(1, past.end()), label="batch")))
        for seq in then:
            assert all_views(batched, f"_at({seq})") == then[seq]
        assert all_views(batched) == then[past.end()]
        assert not any(all_views(batched, "_at(0)").values())
        batched.rebuild()
        assert all_views(batched) == then[past.end()]
        assert not list(compare(batched, past))


@LAW
@given(past=pasts(most=30), data=st.data())
def test_applying_a_batch_twice_changes_nothing(past: Past, data: st.DataObject) -> None:
    with projection(past) as held:
        held.apply(past.rows)
        once = all_views(held)
        start = data.draw(st.integers(0, past.end() - 1))
        held.apply(past.rows[start:])
        assert (held.position, all_views(held)) == (past.end(), once)


@LAW
@given(past=pasts(most=30), data=st.data())
def test_a_query_as_of_a_seq_is_the_query_on_the_ledger_that_ended_there(past: Past, data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, past.end()))
    with projection(past) as whole, projection(past.until(seq)) as shorter:
        whole.catch_up()
        shorter.catch_up()
        for view in VIEWS:
            sql = f"FROM {view} ORDER BY ALL"
            assert repr(query(whole, sql, as_of=seq).to_pylist()) == repr(query(shorter, sql).to_pylist())


@settings(LAW, max_examples=examples(15))
@given(past=pasts(most=50))
def test_the_views_say_what_the_domain_folds(past: Past) -> None:
    models: dict[str, ModelState] = {}
    for recorded in (decode(row.envelope, row.leaf) for row in past.rows):
        if recorded.stream.startswith("model/"):
            name = recorded.stream.removeprefix("model/")
            models[name] = evolve(models.get(name, ModelState()), recorded)

    with projection(past) as held:
        held.catch_up()

        def pairs(sql: str) -> dict[Any, Any]:
            return {tuple(row[:-1]): row[-1] for row in zip(*query(held, sql).to_pydict().values(), strict=True)}

        assert pairs("SELECT model, versions FROM models") == {
            (m,): len(model.versions) for m, model in models.items() if model.registered
        }
        for view, kind in (("branches", "branch"), ("aliases", "alias")):
            folded = {(m, ref): at for m, model in models.items() for ref, at in model.live(kind).items()}
            assert pairs(f"SELECT model, {kind}, version FROM {view}") == folded
        assert pairs("SELECT model, tag, version FROM tags") == {
            (m, tag): at for m, model in models.items() for tag, at in model.tags.items()
        }
        assert set(pairs("SELECT model, version, name, kind FROM annotations")) == {
            (m, version, note)
            for m, model in models.items()
            for version, notes in model.notes.items()
            for note in notes
        }
        for table, kind, refs in (("branch_moves", "branch", "branches"), ("alias_moves", "alias", "aliases")):
            moves = query(
                held, f"SELECT model, {kind} AS ref, seq, kind, from_version, to_version FROM {table}"
            ).to_pylist()
            folded_moves = [
                {
                    "model": m,
                    "ref": name,
                    "seq": x.seq,
                    "kind": x.kind,
                    "from_version": x.from_version,
                    "to_version": x.to_version,
                }
                for m, model in models.items()
                for name, ref in getattr(model, refs).items()
                for x in ref.history()
            ]
            assert sorted(map(repr, moves)) == sorted(map(repr, folded_moves))
