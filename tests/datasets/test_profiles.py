"""Profiles: the same in pieces as at once, with no value of a single row; and drift, against what scipy says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lepton_ai.datasets import delimited
from lepton_ai.datasets.profiles import pieces as pieces_module
from lepton_ai.datasets.profiles.counts import EXACT, Distinct, hashes_of
from lepton_ai.datasets.profiles.drift import shift_of_profiles, shift_of_rows
from lepton_ai.datasets.profiles.guess import Guess, converted
from lepton_ai.datasets.profiles.pieces import file_pieces
from lepton_ai.datasets.profiles.survey import Survey, survey
from lepton_ai.datasets.read import labelled
from lepton_ai.datasets.selection import Selection, selection
from lepton_ai.datasets.tables import fingerprint, read_labels, read_table
from lepton_ai.datasets.types import guessed
from lepton_ai.errors import Malformed

from ..examples import examples

ROWS = 3000
DATED = selection({"since": "date"})


def frame(rows: int = ROWS, seed: int = 3, **changes: Any) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "income": chance.lognormal(8, 1, rows).round(2),
        "age": chance.integers(18, 80, rows),
        "kind": chance.choice(["car", "house", "boat"], rows, p=[0.6, 0.399, 0.001]),
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(chance.integers(0, 900, rows), "D"),
        "flag": chance.choice(["true", "false"], rows),
        "iban": [f"X{place:06}" for place in range(rows)],
        "number": np.arange(rows) + 500_000,
        "bad": chance.integers(0, 2, rows),
    }
    made = pd.DataFrame(columns | changes)
    made.loc[::11, "income"] = None
    return made


def column(found: Survey, name: str) -> dict[str, Any]:
    return next(each for each in found.profile["columns"] if each["name"] == name)


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "parquet", "feather"])
def test_a_file_read_in_pieces_has_the_fingerprint_and_profile_of_all_its_rows(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rows = tmp_path / f"rows.{ending}", frame()
    match ending:
        case "parquet":
            rows.to_parquet(path, index=False, row_group_size=500)
        case "feather":
            rows.to_feather(path, chunksize=700)
        case _:
            text = rows.to_csv(index=False, sep="\t" if ending == "tsv" else ",").encode()
            path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    chosen = Selection() if ending in ("parquet", "feather") else DATED
    table, labels = labelled(str(path), "bad", chosen)
    monkeypatch.setattr(pieces_module, "AT_ONCE", (20_000, *delimited.BLOCKS))
    monkeypatch.setattr(pieces_module, "ROWS", 900)

    several = list(file_pieces(str(path), "bad", chosen))
    found = survey(several, "bad")

    assert len(several) > 2
    assert found == survey([table.append_column("bad", labels)], "bad")
    assert found.fingerprint | {"v1": ""} == fingerprint(table, labels) | {"v1": ""}


TEXTS = st.one_of(
    st.none(), st.integers(-(10**17), 10**17).map(str), st.floats(allow_infinity=False).map(str),
    st.sampled_from(["NA", " 12 ", "007", "true", "FALSE", "1", "0", "x", "2020-01-31", "nan", "2020-01-31T10:00:00Z"]),
)  # fmt: skip


def outcome(read: Callable[[], Any]) -> str:
    """The type and values that are read, NaN equal to NaN, or the refusal."""
    try:
        array = read()
    except Malformed as refusal:
        return str(refusal)
    return f"{array.type} {array.to_pylist()}"


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=examples(150))
def test_what_a_column_holds_is_guessed_in_pieces_as_it_is_at_once(parts: list[list[str | None]]) -> None:
    chunks = [pa.array(part, pa.large_string()) for part in parts]
    whole, guess = pa.concat_arrays(chunks), Guess("n")
    for chunk in chunks:
        guess.update(chunk)

    def in_pieces() -> Any:
        decided = guess.decided()
        return pa.concat_arrays([converted("n", chunk, decided) for chunk in chunks])

    assert outcome(in_pieces) == outcome(lambda: guessed("n", whole))


def test_a_profile_tells_counts_rounded_quantiles_and_common_levels() -> None:
    rows = frame().drop(columns="flag")
    found = survey([pa.Table.from_pandas(rows, preserve_index=False)], "bad")
    income, known = dict(column(found, "income")["quantiles"]), rows["income"].dropna()

    assert found.profile["rows"] == ROWS
    assert column(found, "income")["missing"] == int(rows["income"].isna().sum())
    assert income[0.5] == float(f"{np.quantile(known, 0.5, method='inverted_cdf'):.4g}")
    assert list(income)[:2] == [0.01, 0.05]
    assert column(found, "age")["quantiles"][0] == [0.0, 18]
    assert dict(column(found, "since")["quantiles"])[0.5].startswith("2021-")
    assert column(found, "kind")["levels"] == {
        level: count for level, count in rows["kind"].value_counts().items() if count >= 5
    }
    assert found.profile["labels"]["levels"] == {str(k): v for k, v in rows["bad"].value_counts().items()}


def test_a_profile_tells_no_value_that_fewer_rows_than_the_rules_say_stand_behind() -> None:
    rows = frame(400, income=[*range(380), *[9.9e9] * 20], since=pd.Timestamp("1931-02-03"))
    rows["kind"] = ["car"] * 392 + ["yacht"] * 4 + ["a very long story of a life " * 3] * 4
    found = survey([pa.Table.from_pandas(rows.drop(columns="bad"), preserve_index=False)], None)
    told = json.dumps(found.profile)

    assert column(found, "kind")["levels"] == {"car": 392}
    assert column(found, "kind")["other"] == 8
    assert column(found, "iban").keys() == {"name", "type", "missing", "distinct", "identifies"}
    assert column(found, "number")["identifies"]
    assert "yacht" not in told
    assert "story" not in told
    assert "X000001" not in told
    few = survey([pa.table({"wage": [1234.5, 99999.25] * 9, "name": ["ada", "bob"] * 9})], None)
    assert column(few, "wage")["levels"] == {"1234": 9, "100000": 9}
    lone = survey([pa.table({"wage": [1234.5 + place for place in range(19)]})], None)
    assert lone.profile["columns"] == [{"name": "wage", "type": "number", "missing": 0, "distinct": 19}]


def test_a_wide_table_fits_its_event_with_the_counts_of_its_last_columns_alone() -> None:
    chance = np.random.default_rng(1)
    wide = pa.table({f"column {place}": chance.normal(size=60) for place in range(1200)})

    found = survey([wide], None)

    told = found.profile["columns"]
    assert "quantiles" in told[0]
    assert "quantiles" not in told[-1]
    assert len(json.dumps([found.profile, found.fingerprint])) < 250_000
    with pytest.raises(Malformed, match="the rows have 4,000 columns"):
        survey([pa.table({f"column {place}": [1.0] for place in range(4000)})], None)


def test_distinct_values_are_counted_exactly_while_few_and_within_a_few_percent_beyond() -> None:
    for many in (10, EXACT, 50_000):
        counted, values = Distinct(), read_table({"n": np.tile(np.arange(many) * 1.5, 2)})
        for start in range(0, 2 * many, 7_000):
            counted.update(hashes_of(values.take(np.arange(start, min(start + 7_000, 2 * many))).columns[0]))

        assert counted.counted == (many <= EXACT)
        assert counted.number == pytest.approx(many, rel=0 if many <= EXACT else 0.06)


def of(values: Any) -> Any:
    return read_table({"n": values}).columns[0]


def test_drift_of_rows_is_what_scipy_and_the_formula_say() -> None:
    chance = np.random.default_rng(5)
    one, other = chance.normal(size=4000), chance.normal(0.3, size=3000)

    shift = shift_of_rows(of(one), of(other))

    oracle = stats.ks_2samp(one, other)
    edges = np.quantile(one, np.arange(1, 10) / 10, method="inverted_cdf")
    p, q = (np.bincount(np.searchsorted(edges, each), minlength=10) / len(each) for each in (one, other))
    assert (shift.statistic, shift.p) == (oracle.statistic, oracle.pvalue)
    assert shift.psi == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=0.01)

    levels = shift_of_rows(of(["a"] * 60 + ["b"] * 40), of(["a"] * 90 + ["b"] * 10))
    table: Any = stats.chi2_contingency([[60, 40], [90, 10]], correction=False)
    assert (levels.statistic, levels.p) == pytest.approx((table.statistic, table.pvalue))


def test_equal_rows_do_not_drift_and_values_that_went_missing_do() -> None:
    one = np.arange(500.0)
    gaps = np.where(np.arange(500) % 3 == 0, np.nan, one)

    same, gone = shift_of_rows(of(one), of(one)), shift_of_rows(of(one), of(gaps))

    assert (same.psi, same.p) == (0.0, 1.0)
    assert gone.p is not None
    assert gone.p < 1e-20
    assert gone.psi is not None
    assert gone.psi > 0.25


def test_drift_seen_in_profiles_is_near_the_drift_of_the_rows() -> None:
    one, other = frame(seed=1), frame(seed=2, age=np.random.default_rng(9).integers(30, 92, ROWS))
    told = [survey([pa.Table.from_pandas(each, preserve_index=False)], "bad") for each in (one, other)]

    for name in ("age", "income", "kind", "since"):
        whole = shift_of_rows(of(one[name]), of(other[name]))
        seen = shift_of_profiles(*(column(each, name) for each in told), (ROWS, ROWS))
        assert seen.psi == pytest.approx(whole.psi, abs=0.02, rel=0.25), name


def test_false_alarms_of_the_tests_stay_within_what_they_claim() -> None:
    """600 pairs of equal populations at the 5 % level: the 99 % binomial interval of what is counted holds 5 %."""
    chance, alarms, levels = np.random.default_rng(11), 0, 0
    for _ in range(600):
        a, b = chance.normal(size=(2, 120))
        alarms += (shift_of_rows(of(a), of(b)).p or 1) < 0.05
        c, d = chance.choice(["x", "y", "z"], (2, 120))
        levels += (shift_of_rows(of(list(c)), of(list(d))).p or 1) < 0.05

    for counted in (alarms, levels):
        assert stats.binomtest(counted, 600).proportion_ci(0.99).low <= 0.05


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("a,b\n", "b", "no rows or no columns"),
        ("a,b\n1,2\n", "c", "no column 'c' for the labels"),
        ("a,a,b\n1,2,3\n", "b", "two columns named 'a'"),
        ("a,b\n1,\n2,0\n", "b", "1 labels are missing"),
        ("a,b\n2020-01-01,1\n2020-01-02,0\n", "b", "holds dates; say what to learn"),
        ("", "b", "it is empty"),
    ],
)
def test_rows_that_are_none_are_refused_in_one_sentence(tmp_path: Path, text: str, label: str, words: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)

    with pytest.raises(Malformed, match=words):
        survey(file_pieces(str(path), label, Selection()), label)


def test_labels_are_read_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,yes\n2,no\n")
    (piece,) = file_pieces(str(path), "b", Selection())

    assert read_labels(piece["b"], 2).labels() == ["yes", "no"]
