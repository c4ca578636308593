"""Kept photos: they expire, the least recently used go first, and ids tell what was from what never was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.server.budget import Budget
from photochrom.server.problems import Busy, ExpiredPhoto, UnknownPhoto
from photochrom.server.store import PhotoStore

ANY: Any = object()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget() -> Budget:
    return Budget(100)


@pytest.fixture
def store(budget: Budget, clock: Clock) -> PhotoStore:
    return PhotoStore(budget, 10.0, clock)


def test_kept_photo_comes_back(store: PhotoStore, budget: Budget) -> None:
    kept = store.add(ANY, ANY, budget.reserve(30), colored=True)
    assert store.get(kept.id) is kept
    assert (len(store), store.held, kept.colored) == (1, 30, True)


def test_use_puts_off_expiry(store: PhotoStore, budget: Budget, clock: Clock) -> None:
    kept = store.add(ANY, ANY, budget.reserve(30))
    clock.now = 9
    store.get(kept.id)
    clock.now = 18
    store.get(kept.id)
    clock.now = 28.5
    with pytest.raises(ExpiredPhoto):
        store.get(kept.id)
    assert budget.used == 0


def test_removed_photo_is_gone(store: PhotoStore, budget: Budget) -> None:
    kept = store.add(ANY, ANY, budget.reserve(30))
    store.remove(kept.id)
    assert budget.used == 0
    for action in (store.get, store.remove):
        with pytest.raises(ExpiredPhoto):
            action(kept.id)


def test_least_recently_used_goes_first(store: PhotoStore, budget: Budget) -> None:
    first, second, third = (store.add(ANY, ANY, budget.reserve(30)) for _ in range(3))
    store.get(first.id)
    budget.reserve(40)
    assert store.get(first.id) is first
    assert store.get(third.id) is third
    with pytest.raises(ExpiredPhoto):
        store.get(second.id)


def test_photos_make_room_but_no_more_than_there_is(store: PhotoStore, budget: Budget) -> None:
    store.add(ANY, ANY, budget.reserve(30))
    busy = budget.reserve(50)
    with pytest.raises(Busy):
        budget.reserve(60)
    busy.release()
    assert budget.reserve(100).size == 100


def test_clear(store: PhotoStore, budget: Budget) -> None:
    for _ in range(3):
        store.add(ANY, ANY, budget.reserve(10))
    store.clear()
    assert (len(store), budget.used) == (0, 0)


@given(st.one_of(st.text(max_size=50), st.binary(min_size=18, max_size=18).map(bytes.hex)))
def test_made_up_ids_were_never_photos(photo_id: str) -> None:
    with pytest.raises(UnknownPhoto):
        PhotoStore(Budget(100), 10.0).get(photo_id)


def test_ids_of_another_server_are_unknown(budget: Budget, store: PhotoStore) -> None:
    other = PhotoStore(Budget(100), 10.0)
    kept = other.add(ANY, ANY, budget.reserve(1))
    with pytest.raises(UnknownPhoto):
        store.get(kept.id)
    with pytest.raises(UnknownPhoto):
        other.get(kept.id.upper())


def test_ids_differ(store: PhotoStore, budget: Budget) -> None:
    ids = {store.add(ANY, ANY, budget.reserve(0)).id for _ in range(200)}
    assert len(ids) == 200
