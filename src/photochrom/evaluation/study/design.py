"""A study on disk and the trials that each participant gets from it.

The folder holds study.json, images/ (squares under names that tell nothing) and answers.sqlite.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path  # noqa: TC003 `parse` looks at the annotation
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from photochrom.documents import option, parse, read_json
from photochrom.errors import DataError, OptionError, OutputExists, WriteError
from photochrom.evaluation.evaluator import check_folders
from photochrom.evaluation.photos import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochrom.evaluation.metrics import RGB
    from photochrom.evaluation.photos import PhotoSet
    from photochrom.evaluation.predictors import Predictor

TRUTH = "truth"
VERSION = 1
ENOUGH_PAIRS = 40  # fewer a participant give too wide an interval to publish

Kind = Literal["practice", "fooling", "preference"]
Side = Literal["left", "right"]


@dataclass(frozen=True)
class Trial:
    """One pair. `left` and `right` name what is shown there: a model, or the truth."""

    index: int
    kind: Kind
    photo: str
    left: str
    right: str
    first: Side  # shown first, where pictures are shown one after the other

    @property
    def colored(self) -> Side:
        """The side of the machine's picture (not for preference)."""
        return "right" if self.left == TRUTH else "left"


@dataclass(frozen=True)
class Study:
    """What all participants share."""

    folder: Path
    seed: int
    pairs: int = option(ge=1)
    practice: int = option(ge=0)
    preference: int = option(ge=0)
    models: tuple[str, ...] = option()
    images: dict[str, dict[str, str]] = option()  # photo: {model or "truth": image name}

    def __post_init__(self) -> None:
        shown = {TRUTH, *self.models}
        for photo, images in self.images.items():
            if images.keys() != shown:
                raise DataError(f"images.{photo} must have a picture for each of {', '.join(sorted(shown))}")

    @property
    def identity(self) -> str:
        """Tells one study from another in a browser's memory."""
        return hashlib.sha256(json.dumps(self.images, sort_keys=True).encode()).hexdigest()[:12]

    @classmethod
    def open(cls, folder: Path) -> Study:
        """Read a study's folder. Raises DataError when it is none, or names what is wrong in study.json."""
        file, advice = folder / "study.json", "make one with photochrom study create"
        if not file.is_file():
            raise DataError(f"{folder} is not a study: {advice}")
        table = read_json(file, str(file), advice, DataError)
        if not isinstance(table, dict) or table.pop("version", None) != VERSION:
            raise DataError(f"{folder} is not a study of version {VERSION}: {advice}")
        return parse(cls, table | {"folder": folder}, f"{file}: ", DataError)

    def save(self) -> None:
        """Write study.json."""
        data = {key: value for key, value in asdict(self).items() if key != "folder"}
        text = json.dumps({"version": VERSION, **data}, indent=1, ensure_ascii=False)
        (self.folder / "study.json").write_text(text + "\n", encoding="utf-8")

    def image_path(self, name: str) -> Path | None:
        """The file of an image, None for any name that is not of this study."""
        known = any(name in images.values() for images in self.images.values())
        return self.folder / "images" / f"{name}.png" if known else None

    def trials(self, number: int) -> list[Trial]:
        """The trials of participant `number` (0, 1, …): the same at every call.

        Practice, then real against colored, then model against model. Every photo comes once in
        the first two parts; models, sides, and which side is shown first are balanced in each part.
        """
        rng = random.Random(f"{self.seed} {number}")  # noqa: S311 reproducible on purpose
        photos = list(self.images)
        rng.shuffle(photos)
        practice, tested = photos[: self.practice], photos[self.practice : self.practice + self.pairs]
        parts: list[tuple[Kind, list[str], list[tuple[str, str]]]] = [
            ("practice", practice, [(TRUTH, model) for model in self._dealt(len(practice), rng)]),
            ("fooling", tested, [(TRUTH, model) for model in self._dealt(len(tested), rng)]),
        ]
        if self.preference:
            compared = rng.sample(photos, min(self.preference, len(photos)))
            parts.append(("preference", compared, self._duels(len(compared), rng)))
        trials: list[Trial] = []
        for kind, chosen, contents in parts:
            trials += _part(kind, chosen, contents, rng, start=len(trials))
        return trials

    def _dealt(self, count: int, rng: random.Random) -> list[str]:
        """Models in equal numbers (to within one), in random order."""
        models = rng.sample(self.models, len(self.models))
        dealt = [models[number % len(models)] for number in range(count)]
        rng.shuffle(dealt)
        return dealt

    def _duels(self, count: int, rng: random.Random) -> list[tuple[str, str]]:
        """Pairs of models in equal numbers, in random order."""
        duels = [(a, b) for place, a in enumerate(self.models) for b in self.models[place + 1 :]]
        rng.shuffle(duels)
        dealt = [duels[number % len(duels)] for number in range(count)]
        rng.shuffle(dealt)
        return dealt


def _part(
    kind: Kind, photos: Sequence[str], contents: Sequence[tuple[str, str]], rng: random.Random, start: int
) -> list[Trial]:
    """Trials of one part, sides and order balanced."""
    swapped, first_left = _balanced(contents, rng), _halves(len(contents), rng)
    trials = []
    for place, (photo, pair) in enumerate(zip(photos, contents, strict=True)):
        left, right = pair[::-1] if swapped[place] else pair
        trials.append(
            Trial(start + place, kind, photo, left, right, "left" if first_left[place] else "right")
        )
    return trials


def _balanced(contents: Sequence[tuple[str, str]], rng: random.Random) -> list[bool]:
    """Which pairs to swap: half of each kind of pair, and half in all, to within one."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, pair in enumerate(contents):
        groups.setdefault(pair, []).append(place)
    swapped, turn = [False] * len(contents), rng.random() < 0.5
    for places in groups.values():
        rng.shuffle(places)
        for place in places:  # going on from group to group keeps the sum balanced too
            swapped[place] = turn
            turn = not turn
    return swapped


def _halves(count: int, rng: random.Random) -> list[bool]:
    values = [number % 2 == 0 for number in range(count)]
    rng.shuffle(values)
    return values


# --- making one ------------------------------------------------------------------------------------


def create(
    folder: Path,
    photos: PhotoSet,
    predictors: Sequence[Predictor],
    *,
    pairs: int = ENOUGH_PAIRS,
    practice: int = 10,
    preference: int = 0,
    seed: int = 0,
    skip_missing: bool = False,
) -> tuple[Study, list[str]]:
    """Make a study's folder; also the sentences about photos that were left out.

    preference: A/B pairs between models, for which two models are needed. Raises DataError for
    too few photos or missing predictions, OutputExists for a folder that holds a study already.
    """
    models = tuple(predictor.name for predictor in predictors)
    _check_models(models, preference)
    if (folder / "study.json").exists():
        raise OutputExists(f"{folder} holds a study already: give another folder")
    skipped = check_folders(photos, predictors, skip_missing)
    left_out = [f"{key}: {reason}" for key, reason in skipped.items()]
    images: dict[str, dict[str, str]] = {}
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        for number, key in enumerate(photos.keys):
            if key in skipped:
                continue
            sample = photos.load(number)
            if isinstance(sample, Sample):
                images[key] = _store(folder, sample, predictors, seed)
            else:
                left_out.append(f"{key}: {sample.reason}")
        _check_enough(len(images), pairs, practice)
        study = Study(folder, seed, pairs, practice, preference, models, images)
        study.save()
    except OSError as error:
        raise WriteError(
            f"the study cannot be written into {folder} ({error.strerror}): choose another folder"
        ) from None
    return study, left_out


def _check_models(models: Sequence[str], preference: int) -> None:
    if not models or TRUTH in models or len(set(models)) != len(models):
        raise OptionError(
            f"give every folder of predictions a name of its own, other than {TRUTH!r} (NAME=DIR)"
        )
    if preference and len(models) < 2:
        raise OptionError("preference pairs compare two models: give a second --predictions")


def _check_enough(photos: int, pairs: int, practice: int) -> None:
    if photos < pairs + practice:
        raise DataError(
            f"{photos} photos are too few for {pairs} pairs and {practice} for practice, each photo once: "
            f"give more photos, or fewer --pairs and --practice"
        )


def _store(folder: Path, sample: Sample, predictors: Sequence[Predictor], seed: int) -> dict[str, str]:
    """Save a photo's squares, all alike as PNG, and return {model: image name}."""
    pictures: dict[str, RGB] = {TRUTH: sample.truth}
    pictures |= {predictor.name: predictor.prepare(sample).render() for predictor in predictors}
    names = {}
    for model, picture in pictures.items():
        name = hashlib.sha256(f"{seed}\0{sample.key}\0{model}".encode()).hexdigest()[:20]
        Image.fromarray(picture).save(folder / "images" / f"{name}.png")
        names[model] = name
    return names


def public(study: Study, trial: Trial) -> dict[str, Any]:
    """What a participant's browser may know of a trial."""
    images = study.images[trial.photo]
    return {
        "index": trial.index,
        "kind": trial.kind,
        "left": images[trial.left],
        "right": images[trial.right],
        "first": trial.first,
    }
