"""The memory budget: never overdrawn, and kept photos give way before anybody is refused."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.server.budget import Budget
from photochrom.server.problems import Busy, OverBudget


def test_reserve_and_release() -> None:
    budget = Budget(100)
    first = budget.reserve(60)
    with pytest.raises(Busy):
        budget.reserve(50)
    first.release()
    first.release()
    assert budget.used == 0
    assert budget.reserve(100).size == 100


def test_refused_growth_changes_nothing() -> None:
    budget = Budget(100)
    held = budget.reserve(60)
    other = budget.reserve(10)
    with pytest.raises(Busy):
        held.grow(40)
    assert (held.size, budget.used) == (60, 70)
    other.release()
    held.grow(40)
    held.shrink_to(10)
    assert (held.size, budget.used) == (10, 10)


def test_what_never_fits_is_not_called_busy() -> None:
    budget = Budget(100)
    for needed, beside in ((101, 0), (60, 41)):
        with pytest.raises(OverBudget, match="--memory"):
            budget.reserve(needed, beside)
    held = budget.reserve(60)
    with pytest.raises(OverBudget):
        held.grow(41)
    assert (held.size, budget.used) == (60, 60)


def test_shrinking_never_grows() -> None:
    budget = Budget(100)
    held = budget.reserve(10)
    held.shrink_to(90)
    assert (held.size, budget.used) == (10, 10)


def test_shortage_asks_for_what_is_missing() -> None:
    budget = Budget(100)
    kept = budget.reserve(80)
    asked: list[int] = []

    def reclaim(missing: int) -> None:
        asked.append(missing)
        kept.release()

    budget.on_shortage(reclaim)
    assert budget.reserve(50).size == 50
    assert asked == [30]


def test_holding_gives_back_after_a_failure() -> None:
    budget = Budget(100)
    with pytest.raises(KeyError), budget.holding(70):
        raise KeyError
    assert budget.used == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=60))
def test_used_is_the_sum_of_what_is_held(steps: list[tuple[bool, int]]) -> None:
    budget, held = Budget(100), []
    for takes, size in steps:
        if takes:
            try:
                held.append(budget.reserve(size))
            except Busy:
                assert budget.used + size > budget.total
        elif held:
            held.pop(size % len(held)).release()
        assert budget.used == sum(one.size for one in held) <= budget.total


def test_many_threads_never_overdraw() -> None:
    budget, worst = Budget(50), 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal worst
        for _ in range(300):
            try:
                with budget.holding(7), lock:
                    worst = max(worst, budget.used)
            except Busy:
                continue

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < worst <= 50
    assert budget.used == 0
