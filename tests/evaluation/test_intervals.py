"""Intervals by the bootstrap: scipy's where rows are independent, and the schemes of drawing that it has not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lepton_ai.errors import Malformed
from lepton_ai.evaluation import measures, resampling
from lepton_ai.evaluation.intervals import bootstrap, interval

GENERATOR = np.random.default_rng(11)
TRUTH = (GENERATOR.random(300) < 0.3).astype(float)
CHANCE = np.clip(0.3 * TRUTH + 0.5 * GENERATOR.random(300), 0, 1)


def test_the_reach_is_scipys_standard_error_by_students_t() -> None:
    values = np.random.default_rng(3).normal(size=80)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=2000, rng=np.random.default_rng(5))

    found = interval("own", float(values.mean()), theirs.bootstrap_distribution, 79)

    reach = stats.t.ppf(0.975, 79) * theirs.standard_error * np.sqrt(80 / 79)
    assert found == pytest.approx((values.mean() - reach, values.mean() + reach))
    assert found == pytest.approx(stats.t.interval(0.95, 79, values.mean(), stats.sem(values)), abs=0.02)


@pytest.mark.parametrize(
    ("name", "figure", "least", "most"),
    [("recall", 0.97, 0, 1), ("macro_roc_auc", 0.98, 0, 1), ("rmse", 0.2, 0, np.inf), ("gini", 0.97, -1, 1),
     ("r2", 0.98, -np.inf, 1), ("precision_at_10", 0.04, 0, 1), ("pixel_iou", 0.03, 0, 1)],
)  # fmt: skip
def test_an_interval_stays_where_its_figure_can_be(name: str, figure: float, least: float, most: float) -> None:
    found = interval(name, figure, np.clip(np.random.default_rng(1).normal(figure, 0.01, 500), 1e-3, 0.999), 50)

    assert found is not None
    assert least < found[0] < figure < found[1] < most


@pytest.mark.parametrize("name", ["ks", "ece", "max_error"])
def test_what_no_draw_is_honest_of_has_no_interval(name: str) -> None:
    assert interval(name, 0.3, np.random.default_rng(1).normal(0.3, 0.01, 500), 50) is None


def test_of_few_groups_a_share_has_an_interval_and_a_loss_has_none() -> None:
    few = bootstrap(measures.of_probabilities(TRUTH, CHANCE), resampling.Groups(np.arange(300) // 25), 200)

    known = {name for name in few.figures if few.interval(name) is not None}
    assert known == {"roc_auc", "gini"}


def test_cells_are_drawn_as_their_rows_are() -> None:
    """The spread of a share over draws of whole cells is that of drawing row by row, within either stratum too."""
    truth, called = np.repeat([0.0, 1.0, 1.0], [500, 300, 200]), np.repeat([False, False, True], [500, 300, 200])
    measure = measures.of_decisions(truth, called)
    strata = resampling.Strata(truth.astype(np.int64))
    groups = resampling.Groups(np.arange(1000) // 4)

    for scheme, share in ((resampling.SingleRows(1000), 0.4), (strata, 0.4), (groups, 0.4)):
        together = bootstrap(measure, scheme, 4000).drawn["recall"]
        one_by_one = bootstrap(lambda weights: measure(weights), scheme, 1000).drawn["recall"]
        assert together.mean() == pytest.approx(share, abs=0.003)
        assert together.std() == pytest.approx(one_by_one.std(), rel=0.1)


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int]] = []

    bootstrap(
        measures.of_probabilities(TRUTH, CHANCE), resampling.SingleRows(300), 500, progress=lambda *at: told.append(at)
    )

    assert told[-1] == (500, 500)
    assert told == sorted(told)


def test_the_same_seed_gives_the_same_interval_on_any_number_of_threads() -> None:
    measure = measures.of_probabilities(TRUTH, CHANCE)

    found = [
        bootstrap(measure, resampling.SingleRows(300), 60, seed=4, threads=count).interval("roc_auc")
        for count in (1, 3)
    ]

    assert found[0] == found[1] != bootstrap(measure, resampling.SingleRows(300), 60, seed=5).interval("roc_auc")


def test_what_every_draw_gives_alike_has_no_interval() -> None:
    measure = measures.of_decisions(TRUTH, TRUTH == 1)

    assert bootstrap(measure, resampling.SingleRows(300), 50).interval("accuracy") is None


def test_what_most_draws_leave_undefined_has_no_interval() -> None:
    truth = np.zeros(40)
    truth[0] = 1

    draws = bootstrap(measures.of_probabilities(truth, np.linspace(0, 1, 40)), resampling.SingleRows(40), 100)

    assert draws.interval("roc_auc") is None
    assert draws.interval("brier") is not None


def test_every_figure_lies_in_its_interval() -> None:
    generator = np.random.default_rng(1)
    for seed in range(20):
        truth, chance = (generator.random(200) < 0.5).astype(float), generator.random(200)
        draws = bootstrap(measures.of_probabilities(truth, chance), resampling.SingleRows(200), 100, seed)
        for name, figure in draws.figures.items():
            if ends := draws.interval(name):
                assert ends[0] <= figure <= ends[1], name


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.integers(0, 9))
def test_every_stratum_keeps_its_size(strata: list[int], seed: int) -> None:
    scheme = resampling.scheme_of(len(strata), strata=strata)

    weights = scheme.draw(np.random.default_rng(seed))

    assert np.bincount(strata, weights=weights).tolist() == np.bincount(strata).tolist()


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=60).filter(lambda each: len(set(each)) > 1))
def test_rows_of_one_group_are_drawn_together(groups: list[str]) -> None:
    weights = resampling.scheme_of(len(groups), groups=groups).draw(np.random.default_rng(0))

    assert all(len({weights[row] for row, group in enumerate(groups) if group == name}) == 1 for name in groups)


@given(st.integers(2, 90), st.data())
def test_blocks_give_as_many_rows_as_there_are(n: int, data: st.DataObject) -> None:
    scheme = resampling.scheme_of(n, block=data.draw(st.integers(1, n // 2)))

    assert scheme.draw(np.random.default_rng(1)).sum() == n == scheme.n


def test_a_series_that_depends_on_itself_has_a_wider_interval_by_blocks() -> None:
    noise = np.random.default_rng(2).normal(size=1000)
    series = np.convolve(noise, np.ones(20) / 4, "valid")
    measure = measures.of_errors(np.zeros(len(series)), series)

    rows, blocks = (
        bootstrap(measure, scheme, 200).interval("mae")
        for scheme in (resampling.SingleRows(len(series)), resampling.Blocks(len(series), 40))
    )

    assert rows
    assert blocks
    assert blocks[1] - blocks[0] > 1.5 * (rows[1] - rows[0])


def test_patients_with_many_rows_each_make_a_wider_interval_than_as_many_patients() -> None:
    groups = np.repeat(np.arange(30), 10)
    predicted = np.repeat(np.random.default_rng(1).normal(size=30), 10)
    measure = measures.of_errors(np.zeros(300), predicted)

    rows, grouped = (
        bootstrap(measure, scheme, 200).interval("mae")
        for scheme in (resampling.SingleRows(300), resampling.scheme_of(300, groups=groups))
    )

    assert rows
    assert grouped
    assert grouped[1] - grouped[0] > 2 * (rows[1] - rows[0])


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ({"groups": ["a"] * 4}, "at least two"),
        ({"groups": ["a", "b"]}, "give one a row"),
        ({"groups": ["a", None, "b", "b"]}, "name one for every row"),
        ({"strata": [1.0, float("nan"), 2.0, 2.0]}, "name one for every row"),
        ({"groups": ["a", float("nan"), "b", "b"]}, "name one for every row"),
        ({"block": 3}, "from 1 to 2"),
        ({"block": 0}, "from 1 to 2"),
        ({"block": 2, "groups": [1, 1, 2, 2]}, "not two of them"),
    ],
)
def test_a_scheme_that_does_not_fit_the_rows_is_refused(asked: dict[str, object], advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        resampling.scheme_of(4, **asked)  # type: ignore[arg-type]


def test_blocks_are_as_long_as_twice_the_cube_root_of_the_rows() -> None:
    assert [resampling.block_length(n) for n in (2, 27, 1000)] == [1, 6, 20]
