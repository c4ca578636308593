"""Correspondences: geometry found among wrong matches, features that find a crop again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.exposure import match_histograms

from photochrom.guidance.matching import (
    Similarity,
    View,
    _Matches,
    as_view,
    common_geometry,
    matched_levels,
    mutual_matches,
    view,
)

if TYPE_CHECKING:
    from photochrom.colorizer import Plate

angles = st.floats(-0.4, 0.4)
scales = st.floats(0.5, 2.0)


@settings(max_examples=25)
@given(angle=angles, scale=scales, x=st.floats(-60, 60), y=st.floats(-60, 60), mirror=st.booleans())
def test_the_geometry_is_found_among_as_many_wrong_matches(
    angle: float, scale: float, x: float, y: float, mirror: bool
) -> None:
    rng = np.random.default_rng(3)
    here = rng.uniform(0, 256, 60) + 1j * rng.uniform(0, 256, 60)
    truth = Similarity(scale * np.exp(1j * angle), complex(x, y), mirror, 0)
    there = truth(here)
    there[30:] = rng.uniform(0, 256, 30) + 1j * rng.uniform(0, 256, 30)
    found = common_geometry(_Matches(here, there, np.ones(60, np.float32)))
    assert found is not None
    assert found.mirror == mirror
    assert found.support >= 30
    assert np.abs(found(here[:30]) - there[:30]).max() < 12


@given(angle=angles, scale=scales, mirror=st.booleans())
def test_the_matrix_is_the_same_map(angle: float, scale: float, mirror: bool) -> None:
    similarity = Similarity(scale * np.exp(1j * angle), 5 - 7j, mirror, 0)
    place = np.array([3 + 4j, 100 - 20j])
    mapped = similarity.matrix() @ np.stack([place.real, place.imag, np.ones(2)])
    np.testing.assert_allclose(mapped[0] + 1j * mapped[1], similarity(place), atol=1e-9)


def test_too_few_or_senseless_matches_have_no_geometry() -> None:
    few = np.array([1 + 1j, 2 + 2j, 3j])
    assert common_geometry(_Matches(few, few, np.ones(3, np.float32))) is None
    one_place = np.full(10, 5 + 5j)
    assert common_geometry(_Matches(one_place, one_place, np.ones(10, np.float32))) is None


def test_it_is_deterministic() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 256, (2, 40)) + 1j * rng.uniform(0, 256, (2, 40))
    matches = _Matches(places[0], places[1], np.ones(40, np.float32))
    assert common_geometry(matches) == common_geometry(matches)


def test_mutual_matches_choose_each_other() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    places = np.arange(30) + 0j
    order = rng.permutation(30)
    found = mutual_matches(View(features, places), View(features[order], places))
    assert len(found.here) == 30
    np.testing.assert_array_equal(order[found.there.real.astype(int)], found.here.real.astype(int))
    np.testing.assert_allclose(found.similarity, 1, atol=1e-5)


def test_vectors_have_length_one_and_places_are_cell_centers() -> None:
    features = np.random.default_rng(2).normal(size=(16, 2, 3)).astype(np.float32)
    vectors, places = as_view(features, 32, 48)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert places.tolist() == [8 + 8j, 24 + 8j, 40 + 8j, 8 + 24j, 24 + 24j, 40 + 24j]


def test_levels_are_matched_as_by_scikit_image() -> None:
    rng = np.random.default_rng(4)
    source = rng.uniform(0, 60, (64, 64)).astype(np.float32)
    target = (40 + 20 * rng.normal(size=(64, 64))).clip(0, 100).astype(np.float32)
    expected = match_histograms(source, target)
    assert np.abs(matched_levels(source, target) - expected).mean() < 0.6


def test_levels_of_a_flat_plane_can_be_matched() -> None:
    flat = np.full((8, 8), 50, np.float32)
    assert np.isfinite(matched_levels(flat, flat)).all()


@pytest.mark.parametrize("mirror", [False, True])
def test_features_find_a_crop_again(plate: Plate, mirror: bool) -> None:
    whole = as_view(plate.answer().features, *plate.size)
    part = plate.luminance[32:224, 32:224]
    part = np.ascontiguousarray(part[:, ::-1] if mirror else part)
    found = common_geometry(mutual_matches(whole, view(plate.network, part)))
    assert found is not None
    assert found.mirror == mirror
    corners = np.array([60 + 60j, 200 + 80j, 120 + 190j])
    expected = corners - 32 - 32j
    if mirror:
        expected = 192 - expected.conj()
    assert np.abs(found(corners) - expected).max() < 12
