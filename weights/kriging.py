"""Fit the numbers of photochrom/kriging.py, by gradient, all at once: python weights/kriging.py --help.

They depend on the network, so they are fitted anew when it changes (docs/model-development.md). Every second
photo is fitted on, the others are only read. What is sought is the gain of ab over cells at 1, 10 and 100
hints, less a share of the leak of a counterfactual hint, plus one of its reach (of cells and in ab; what
docs/evaluation.md defines is of pixels and in ΔE2000). The numbers are printed as they stand in the module.
400 photos take 4 GB.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from photochrom import kriging
from photochrom.color import rgb_to_lab
from photochrom.colorizer import Colorizer
from photochrom.evaluation.hint_metrics import (
    LEAST_CHANGE,
    LEAST_OTHERS,
    LEAST_SAME,
    OTHER_THINGS,
    SAME_AB,
    SAME_L,
    SAME_PLACE,
    counterfactual,
)
from photochrom.evaluation.photos import PhotoSet, Sample
from photochrom.evaluation.protocols import PROTOCOLS
from photochrom.models import DEFAULT_VIVIDNESS
from photochrom.photo import Photo
from photochrom.raster import STRIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photochrom.color import Float
    from photochrom.colorizer import Plate
    from photochrom.evaluation.hint_metrics import Counterfactual
    from photochrom.hints import Hint
    from photochrom.raster import Points

COUNTS = (1, 10, 100)
FITTED = (
    *("_REACHES", "_SHARES", "_COLORS", "_NOISE", "_DOUBT", "_AUTOMATIC"),
    *("_AFFINITY", "_SCENE", "_LIKENESS", "_LIFT", "_SURPRISE"),
)
ANY_SIGN = ("_LIKENESS",)
CELL = STRIDE * STRIDE  # pixels
LEAST_ERROR = 0.5  # |Δab|² of a photo below which nothing more is gained


class Apart(NamedTuple):
    """How far m places are from n hints (m, n): what stays while the numbers change."""

    distance: Tensor  # squared, in short sides
    difference: Tensor  # of L*, squared
    cosine: Tensor  # of the network's features
    colors: Tensor  # distance of the automatic ab, squared

    def fall(self, reach: Tensor) -> Tensor:
        return torch.exp(-0.5 * self.distance / reach[0] ** 2 - 0.5 * self.difference / reach[1] ** 2)


@dataclass(frozen=True)
class Answer:
    """What the network says to some hints: ab (h, w, 2) and its standard deviation (h, w)."""

    ab: Float
    deviation: Float
    points: Points
    at: Tensor  # (n, 2): the automatic ab of the hints' places
    among: Apart  # the hints from one another
    cells: Apart  # all cells from the hints


@dataclass(frozen=True)
class Case:
    """One photo: what is known without hints, its true ab (h, w, 2), and the answers to hints."""

    scene: kriging.Scene
    truth: Tensor
    answers: tuple[Answer, ...]
    turned: tuple[Answer, Counterfactual] | None


class Reading(NamedTuple):
    """Gains in dB at 1, 10 and 100 hints; leak in ab and reach in 0..1, NaN where a photo has none."""

    gains: Tensor
    leak: Tensor
    reach: Tensor


class Numbers(nn.Module):
    """The numbers of the module, as parameters; positive ones as logarithms."""

    def __init__(self) -> None:
        super().__init__()
        for name in FITTED:
            value = torch.tensor(getattr(kriging, name), dtype=torch.float32)
            self.register_parameter(name, nn.Parameter(value if name in ANY_SIGN else value.log()))

    def value(self, name: str) -> Tensor:
        found = self.get_parameter(name)
        found = found if name in ANY_SIGN else found.exp()
        return found / found.sum() if name == "_SHARES" else found

    def written(self) -> Iterable[str]:
        """Lines of the module."""
        for name in FITTED:
            value = np.round(self.value(name).detach().numpy().astype(np.float64), 4)
            parts = [tuple(row.tolist()) for row in value] if value.ndim == 2 else value.tolist()
            yield f"{name} = {tuple(parts) if isinstance(parts, list) else parts}"


# --- kriging, in torch ---------------------------------------------------------------------------


def obey(numbers: Numbers, case: Case, answer: Answer) -> Tensor:
    """`kriging.krige` (h, w, 2) for hints of full weight; `check` holds the two together."""
    automatic, said = torch.from_numpy(case.scene.automatic), torch.from_numpy(answer.ab)
    places, _, ab, *_ = (torch.from_numpy(part) for part in answer.points)
    most, half = numbers.value("_AUTOMATIC")
    count = (1 / answer.among.fall(numbers.value("_REACHES")[-1]).sum(1)).sum()
    mean = said + most * count / (count + half) * (automatic - said)
    sigma = torch.from_numpy(answer.deviation)[..., None] ** numbers.value("_DOUBT")
    noise = torch.eye(len(places)) * numbers.value("_NOISE")
    wrong = (ab - sample(mean, places)) / sample(sigma, places)
    coefficients = torch.linalg.solve(correlation(numbers, answer.among) + noise, wrong)
    residuals = correlation(numbers, answer.cells) @ coefficients
    corrected = mean + sigma * residuals.reshape(mean.shape)
    kept = confine(numbers, answer.cells, torch.linalg.norm(answer.at - ab, dim=-1))
    return automatic + kept.reshape(*mean.shape[:2], 1) * (corrected - automatic)


def confine(numbers: Numbers, apart: Apart, off: Tensor) -> Tensor:
    """What `kriging.Locality` keeps (m,) of hints that are off the automatic colors by this much (n,)."""
    (dull, full), (other, same) = numbers.value("_SURPRISE"), numbers.value("_LIKENESS")
    surprise = ((off - dull) / (full - dull)).clamp(0, 1)
    near, wide = apart.fall(numbers.value("_AFFINITY")), apart.fall(numbers.value("_SCENE")) + 1e-4
    alike = ((apart.cosine - other) / (same - other)).clamp(0, 1) * same_colors(numbers, apart)
    elsewhere = 1 - (numbers.value("_LIFT") * near * alike).clamp(max=1).amax(-1)
    return 1 - (wide @ surprise) / wide.sum(-1) * elsewhere


def correlation(numbers: Numbers, apart: Apart) -> Tensor:
    scene, thing, part, place = (
        share * apart.fall(reach)
        for share, reach in zip(numbers.value("_SHARES"), numbers.value("_REACHES"), strict=True)
    )
    return (scene + (1 + apart.cosine) / 2 * (thing + part) + place) * same_colors(numbers, apart)


def same_colors(numbers: Numbers, apart: Apart) -> Tensor:
    return torch.exp(-0.5 * apart.colors / numbers.value("_COLORS") ** 2)


def squares(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, None] - b[None]).square().sum(-1)


def sample(plane: Tensor, places: Tensor) -> Tensor:
    """(n, C): a plane (h, w, C) between the centers of its cells."""
    last = torch.tensor(plane.shape[:2]) - 1
    place = torch.minimum((places - 0.5).clamp(min=0), last)
    corner = place.floor().long()
    (top, left), (below, right) = corner.T, torch.minimum(corner + 1, last).T
    down, across = (place - corner).T[..., None]
    upper = torch.lerp(plane[top, left], plane[top, right], across)
    lower = torch.lerp(plane[below, left], plane[below, right], across)
    return torch.lerp(upper, lower, down)


def check(numbers: Numbers, case: Case) -> None:
    """Raises AssertionError where this is not what the module computes."""
    for answer in case.answers:
        theirs = kriging.krige(answer.ab, answer.deviation, case.scene, answer.points)
        with torch.no_grad():
            assert np.abs(obey(numbers, case, answer).numpy() - theirs).max() < 0.05


# --- what is sought ------------------------------------------------------------------------------


def read(numbers: Numbers, case: Case) -> Reading:
    gains = [gain(obey(numbers, case, answer), case.truth) for answer in case.answers]
    leak = reach = torch.tensor(torch.nan)
    if case.turned:
        leak, reach = moved(numbers, case, *case.turned)
    return Reading(torch.stack(gains), leak, reach)


def gain(ab: Tensor, truth: Tensor) -> Tensor:
    grey, error = (plane.square().sum(-1).mean() for plane in (truth, ab - truth))
    return 10 * torch.log10(grey / error.clamp(min=LEAST_ERROR))


def moved(numbers: Numbers, case: Case, answer: Answer, asked: Counterfactual) -> tuple[Tensor, Tensor]:
    """`hint_leak` and `hint_reach` of cells instead of pixels, the leak as a distance of ab."""
    ab, automatic = obey(numbers, case, answer), torch.from_numpy(case.scene.automatic)
    cells = torch.from_numpy(case.scene.cells)
    off = torch.linalg.norm(case.truth - torch.from_numpy(asked.true_ab), dim=-1)
    rows, columns = (torch.arange(n) + 0.5 for n in cells.shape)
    gone = torch.hypot(rows[:, None] - asked.y / STRIDE, columns - asked.x / STRIDE)
    wanted = torch.from_numpy(asked.asked_ab) - automatic
    length = torch.linalg.norm(wanted, dim=-1)
    same = (gone <= SAME_PLACE * max(cells.shape)) & (off <= SAME_AB) & (length > LEAST_CHANGE)
    same &= (cells - asked.lightness).abs() <= SAME_L
    others = off > OTHER_THINGS
    leak = reach = torch.tensor(torch.nan)
    if others.sum() * CELL >= LEAST_OTHERS:
        leak = torch.linalg.norm((ab - automatic)[others], dim=-1).mean()
    if same.sum() * CELL >= LEAST_SAME:
        share = ((ab - automatic)[same] * wanted[same]).sum(-1) / length[same] ** 2
        reach = share.clamp(0, 1).mean()
    return leak, reach


def mean_of(numbers: Numbers, cases: Iterable[Case]) -> str:
    with torch.no_grad():
        found = [torch.stack([*one.gains, one.leak, one.reach]) for one in (read(numbers, c) for c in cases)]
    *gains, leak, reach = torch.stack(found).nanmean(0).tolist()
    return ", ".join(f"{value:+.3f}" for value in gains) + f" dB, leak {leak:.2f} ab, reach {reach:.3f}"


def fit(numbers: Numbers, cases: Sequence[Case], steps: int, leak: float, reach: float) -> None:
    """Adam on four photos a step, the rate falling over the second half."""
    optimizer = torch.optim.Adam(numbers.parameters())
    rng = np.random.default_rng(0)
    for step in tqdm(range(steps), "fitting"):
        optimizer.param_groups[0]["lr"] = 0.03 * min(1, 2 * (1 - step / steps))
        loss = torch.zeros(())
        for number in rng.choice(len(cases), 4, replace=False):
            found = read(numbers, cases[number])
            moved_by = leak * found.leak.nan_to_num() - reach * found.reach.nan_to_num()
            loss = loss - found.gains.sum() + moved_by
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# --- the photos ----------------------------------------------------------------------------------


def answer_to(plate: Plate, scene: kriging.Scene, hints: Sequence[Hint]) -> Answer:
    found = plate.answer(hints)
    ab, deviation, points = found.ab(DEFAULT_VIVIDNESS), found.deviation(), found.points
    height, width = scene.cells.shape
    grid = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1) + 0.5
    cells, automatic, unit = (
        torch.from_numpy(plane) for plane in (scene.cells[..., None], scene.automatic, scene.unit_features)
    )
    places, levels = torch.from_numpy(points.places), torch.from_numpy(points.luminance)[:, None]
    at, own = sample(automatic, places), sample(unit, places)

    def apart(*planes: Tensor) -> Apart:
        place, level, features, colors = (plane.reshape(-1, plane.shape[-1]) for plane in planes)
        distance = squares(place, places) / min(height, width) ** 2
        return Apart(distance, squares(level, levels), features @ own.T, squares(colors, at))

    among = apart(places, levels, own, at)
    return Answer(ab, deviation, points, at, among, apart(grid, cells, unit, automatic))


def case_of(colorizer: Colorizer, found: Sample) -> Case:
    plate = colorizer.prepare(Photo.from_array(found.grey))
    answer = plate.answer()
    scene = kriging.Scene(answer.cells, answer.ab(DEFAULT_VIVIDNESS), answer.unit_features)
    ab = rgb_to_lab(found.truth)[..., 1:]
    truth = cv2.resize(ab, scene.cells.shape[::-1], interpolation=cv2.INTER_AREA)
    protocol = PROTOCOLS["photos"]
    hinted = (protocol.hints(found.truth, found.number, count) for count in COUNTS)
    asked = counterfactual(found)
    return Case(
        scene,
        torch.from_numpy(truth),
        tuple(answer_to(plate, scene, hints) for hints in hinted),
        (answer_to(plate, scene, [asked.hint]), asked) if asked else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="validation photos")
    parser.add_argument("--only", action="append", default=[], help="photos such as 'imagen*'")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--leak", type=float, default=0.15, help="what an ab of leak counts")
    parser.add_argument("--reach", type=float, default=1.8, help="what a reach of 1 counts")
    options = parser.parse_args()
    photos = PhotoSet.open(options.data, PROTOCOLS["photos"], options.only)
    loaded = (photos.load(number) for number in range(len(photos.keys)))
    colorizer = Colorizer()
    cases = [
        case_of(colorizer, found)
        for found in tqdm(loaded, "coloring", len(photos.keys))
        if isinstance(found, Sample)
    ]
    numbers = Numbers()
    check(numbers, cases[0])
    fitted, others = cases[1::2], cases[::2]
    print("before, fitted on:", mean_of(numbers, fitted))
    print("before, others:   ", mean_of(numbers, others))
    fit(numbers, fitted, options.steps, options.leak, options.reach)
    print("after, fitted on: ", mean_of(numbers, fitted))
    print("after, others:    ", mean_of(numbers, others))
    print(*numbers.written(), sep="\n")


if __name__ == "__main__":
    main()
