"""Intervals: coverage, pairing, determinism."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from photochrom.evaluation.statistics import (
    _resample_counts,
    at_colorfulness,
    bootstrap,
    centered,
    gap,
    ratio,
)

VALUES = arrays(np.float64, st.integers(2, 40), elements=st.floats(-50, 50, width=32))


@given(VALUES)
def test_the_interval_holds_the_mean(values: np.ndarray) -> None:
    interval = bootstrap(values)
    assert interval.mean == pytest.approx(values.mean(), abs=1e-9)
    assert interval.low - 1e-9 <= interval.mean <= interval.high + 1e-9
    assert values.min() - 1e-9 <= interval.low
    assert interval.high <= values.max() + 1e-9


@given(VALUES)
def test_two_calls_give_identical_numbers(values: np.ndarray) -> None:
    assert bootstrap(values) == bootstrap(values.copy())


def test_the_order_of_photos_does_not_move_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=50)
    one, other = bootstrap(values), bootstrap(values[::-1])
    assert one.mean == pytest.approx(other.mean)
    assert one.low == pytest.approx(other.low, abs=0.05)


def test_width_agrees_with_the_normal_theory() -> None:
    values = np.random.default_rng(1).normal(10, 3, 400)
    interval = bootstrap(values)
    half = 1.96 * values.std() / 20
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.07)


def test_coverage_is_about_95_percent() -> None:
    rng = np.random.default_rng(2)
    covered = sum(
        interval.low <= 5 <= interval.high
        for interval in (bootstrap(rng.normal(5, 2, 60)) for _ in range(200))
    )
    assert 0.89 <= covered / 200 <= 0.99


def test_photos_without_the_figure_are_counted_out() -> None:
    interval = bootstrap(np.array([1.0, np.nan, 3.0]))
    assert (interval.mean, interval.n) == (2.0, 2)
    assert bootstrap(np.array([np.nan])).n == 0


def test_ratio_and_gap_are_of_means_not_means_of_ratios() -> None:
    columns = np.array([[1.0, 2.0], [9.0, 2.0]])
    assert bootstrap(columns, ratio).mean == pytest.approx(2.5)
    assert bootstrap(columns, gap).mean == pytest.approx(3)


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    rng = np.random.default_rng(3)
    photo = rng.normal(20, 5, 100)
    ours, theirs = photo + 1 + rng.normal(0, 0.1, 100), photo
    paired = bootstrap(ours - theirs)
    assert 0.9 < paired.low < paired.high < 1.1
    assert paired.high - paired.low < 0.1 * (bootstrap(ours).high - bootstrap(ours).low)


@pytest.mark.parametrize("n", [1, 7, 2500])
def test_every_resample_draws_n_photos(n: int) -> None:
    counts = np.concatenate(list(_resample_counts(n, 100)))
    assert counts.shape == (100, n)
    assert (counts.sum(axis=1) == n).all()


def test_centered_moves_a_biased_spread_to_the_estimate() -> None:
    interval = centered(10.0, np.random.default_rng(0).normal(14, 1, 4000), 5)
    assert interval.low == pytest.approx(10 - 1.96, abs=0.15)
    assert interval.high == pytest.approx(10 + 1.96, abs=0.15)


def test_the_gain_at_a_colorfulness_lies_on_the_line_between_two_vividnesses() -> None:
    means = np.array([[50, 2.0, 1.0, -1.0, 20, 30, 50], [50, 2.0, 1.0, -1.0, 20, 30, 35]], float)
    assert at_colorfulness(0.8)(means) == pytest.approx([0.0, np.nan], nan_ok=True)
    assert at_colorfulness(0.6)(means[0]) == 1.0
    assert np.isnan(at_colorfulness(0.3)(means[0]))


def test_resamples_that_do_not_reach_a_colorfulness_leave_the_interval_to_the_others() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack(
        [np.full(40, 50.0), np.full(40, 2.0), np.zeros(40), np.full(40, 20.0), rng.normal(50, 1, 40)]
    )
    interval = bootstrap(rows, at_colorfulness(0.998))
    assert 0 <= interval.low <= interval.mean <= interval.high < 0.2
