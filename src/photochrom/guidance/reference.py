"""Color it like that photo: another photo's colors, at the places that match, as hints.

Places are matched by the network's own features. Where the two photos show the same scene (also
mirrored, shifted, cropped or scaled) one geometry explains the matches; it is refined on the luminance
and gives exact hints. Else each place takes the colors of the places in the reference that are most
like it, and the hints pull the automatic colors only part of the way there: matches between different
scenes are right in kind more often than in color.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.color import chroma_of
from photochrom.downsample import working_lab
from photochrom.errors import GuidanceError
from photochrom.guidance.alignment import Aligned, align
from photochrom.guidance.combine import Guidance
from photochrom.guidance.matching import (
    SMALLER,
    View,
    as_view,
    common_geometry,
    likeness,
    matched_levels,
    mutual_matches,
    view,
)
from photochrom.guidance.placing import placed
from photochrom.levels import stretch_contrast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from photochrom.color import Float
    from photochrom.guidance.matching import Places
    from photochrom.hints import Hint
    from photochrom.look import Look, ReferencePhoto
    from photochrom.models import Network
    from photochrom.photo import Photo
    from photochrom.prepared import PreparedPhoto

_PULL = 0.25  # the share of the way from the automatic color to that of a place only alike
_FEWEST = 7  # agreeing matches from which one geometry is tried
_SOFTNESS = 0.07  # cosine: how quickly likeness falls off
_LEVELS = 20.0  # L*: the same for luminance, after matching histograms
_MOST = 24  # hints from places only alike
_WEIGHT = 0.3
_COLORLESS = 3.0  # C*: the 95th percentile below which a reference counts as grey


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference photo, prepared once for any number of photos. Thread-safe."""

    network: Network
    luminance: Float  # (h, w) L* at the working size, tones as the network sees them
    ab: Float  # (h, w, 2)

    @classmethod
    def of(cls, network: Network, photo: Photo) -> Reference:
        """Prepare a photo for the network of a Plate or Colorizer (their `.network`).

        Raises GuidanceError for a photo without color, DamagedPhoto where decoding fails late.
        """
        lab = working_lab(photo, network.working_size(photo.height, photo.width))
        ab = np.ascontiguousarray(lab[..., 1:])
        if np.percentile(chroma_of(ab), 95) < _COLORLESS:
            raise GuidanceError(
                f"the reference {photo.path or 'photo'} has no color to take: choose a color photo"
            )
        return cls(network, stretch_contrast(np.ascontiguousarray(lab[..., 0])), ab)

    @classmethod
    def prepared(cls, network: Network, reference: ReferencePhoto) -> Reference:
        """The same for the reference of a look, which keeps it for further photos."""
        if network not in reference.prepared:
            photo = reference.load().photo
            assert photo is not None
            reference.prepared[network] = cls.of(network, photo)
        found: Reference = reference.prepared[network]
        return found

    @cached_property
    def whole(self) -> View:
        """The reference as the network sees it."""
        return view(self.network, self.luminance)

    @cached_property
    def smaller(self) -> View:
        """The same from farther away."""
        return view(self.network, self.luminance, SMALLER)


def guide_by_reference(plate: PreparedPhoto, look: Look, stronger: Sequence[Hint]) -> Guidance:
    """The hints of a look's reference, if it has one."""
    if look.reference is None:
        return Guidance()
    return Guidance(reference_hints(plate, Reference.prepared(plate.network, look.reference)))


def reference_hints(plate: PreparedPhoto, reference: Photo | Reference) -> list[Hint]:
    """Hints with the colors of a reference photo; their weight is the confidence.

    Raises GuidanceError for a reference without color.
    """
    if not isinstance(reference, Reference):
        reference = Reference.of(plate.network, reference)
    found = _same_scene(plate, reference)
    return _exact(plate, found) if found else _alike(plate, reference)


def _same_scene(plate: PreparedPhoto, reference: Reference) -> Aligned | None:
    for here, there in _view_pairs(plate, reference):
        guess = common_geometry(mutual_matches(here, there))
        if guess and guess.support >= _FEWEST:
            found = align(plate.answer().seen, reference.luminance, reference.ab, guess)
            if found:
                return found
    return None


def _view_pairs(plate: PreparedPhoto, reference: Reference) -> Iterator[tuple[View, View]]:
    """Views to compare: at the same scale, then each photo as from farther away."""
    whole = as_view(plate.answer().features, *plate.size)
    yield whole, reference.whole
    yield whole, reference.smaller
    yield view(plate.network, plate.luminance, SMALLER), reference.whole


def _exact(plate: PreparedPhoto, found: Aligned) -> list[Hint]:
    y, x = np.asarray(found.places, np.float64).T + 0.5
    return placed(plate, y, x, found.ab, found.confidence)


def _alike(plate: PreparedPhoto, reference: Reference) -> list[Hint]:
    here, there = as_view(plate.answer().features, *plate.size), reference.whole
    matches = mutual_matches(here, there)
    wanted = _colors_of_the_alike(plate, reference, here, there)
    automatic = plate.chroma()
    index = {place: number for number, place in enumerate(here.places)}
    surest = matches.here[np.argsort(-matches.similarity, kind="stable")[:_MOST]]
    ab = _around(automatic, surest)
    target = np.array([wanted[index[place]] for place in surest], np.float32).reshape(-1, 2)
    return placed(plate, surest.imag, surest.real, ab + np.float32(_PULL) * (target - ab), _WEIGHT)


def _colors_of_the_alike(plate: PreparedPhoto, reference: Reference, here: View, there: View) -> Float:
    """(n, 2): for each cell the mean color of the reference's cells, weighted by their likeness."""
    levels = matched_levels(reference.luminance, plate.answer().seen)
    mine, theirs = _around(plate.answer().seen, here.places), _around(levels, there.places)
    alike = likeness(here, there) / np.float32(_SOFTNESS)
    alike -= (mine[:, None] - theirs[None]) ** 2 / np.float32(2 * _LEVELS**2)
    share = cv2.exp(alike - alike.max(1, keepdims=True))
    colors = _around(reference.ab, there.places)
    wanted: Float = cv2.gemm(share, colors, 1, None, 0) / share.sum(1, keepdims=True)
    return wanted


def _around(plane: Float, places: Places) -> Float:
    """(n[, c]): the mean of a plane (h, w[, c]) over the 8 × 8 px around each place."""
    mean: Float = cv2.blur(plane, (8, 8))[places.imag.astype(np.int64), places.real.astype(np.int64)]
    return mean
