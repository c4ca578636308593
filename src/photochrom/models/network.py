"""How a model is fed: the one place that knows at which size, how scaled, and with which tensors.

A family of networks is a class here, chosen by the `family` of a model's card. A new family is a class with
its `inputs` and one more entry in FAMILIES; nothing else asks which family a model is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np

from photochrom.errors import HintError, ModelError
from photochrom.hints import MAX_HINTS
from photochrom.levels import stretch_contrast
from photochrom.models.answer import DEFAULT_VIVIDNESS, Answer, DistributionAnswer
from photochrom.models.catalogue import DEFAULT, find, members
from photochrom.models.session import Session, load
from photochrom.photo.strips import mapped_in_order
from photochrom.raster import cell_means, count_points, rasterize, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from photochrom.color import Float
    from photochrom.hints import Hint
    from photochrom.models.card import Card
    from photochrom.raster import Raster

_Planes = dict[str, "Float"]


class Network:
    """A model that answers luminance and hints with colors (`ab`). Thread-safe.

    The graph takes `luminance` (1, 1, h, w), L* 0..100, and, where the card says that it takes hints, `hints`
    (1, 3, h, w): weight · a/110, weight · b/110, weight. It gives `ab` (1, 2, h, w) in Lab units.
    """

    output: ClassVar[str] = "ab"
    answers: ClassVar[type[Answer]] = Answer
    recognized: ClassVar[tuple[str, ...]] = ()  # the outputs that tell what is where, if the graph has any

    def __init__(self, session: Session):
        self.session = session
        self.card: Card = session.card

    # --- sizes ---------------------------------------------------------------------------------

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """(h, w) at which the network sees a photo of this size, by the card's size rule."""
        return self._sized(height, width, self.card.size.short)

    def further_sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """The other sizes at which the card has the network see a photo; its answers are averaged."""
        sizes = dict.fromkeys(self._sized(height, width, short) for short in self.card.sizes)
        return [size for size in sizes if size != self.working_size(height, width)]

    def _sized(self, height: int, width: int, short: int) -> tuple[int, int]:
        rule = self.card.size
        if rule.square:
            return short, short
        scale = short / min(height, width)
        sides = (min(side * scale, rule.longest * short / rule.short) for side in (height, width))
        rows, columns = (max(rule.multiple, round(side / rule.multiple) * rule.multiple) for side in sides)
        return rows, columns

    # --- answers -------------------------------------------------------------------------------

    def answer(
        self,
        luminance: Float,
        hints: Sequence[Hint] = (),
        *,
        unhinted: Answer | None = None,
        further: Sequence[Float] = (),
    ) -> Answer:
        """What the network makes of a photo, L* (h, w) 0..100 at the working size, and its hints.

        unhinted: the answer to the same photo without hints, where it is known already; further: the photo's
        L* at `further_sizes`. Raises HintError for more hints than are taken.

        With hints one pass is made: what averaging over the mirror image and other sizes changed without
        hints is added. That is as good as averaging again (docs/model-development.md), and leaves alone what
        no hint touches.
        """
        _check_count(hints, luminance.shape)
        plain = unhinted or self._plain_answer(luminance, further)
        return self._hinted_answer(plain, hints) if hints else plain

    def _hinted_answer(self, plain: Answer, hints: Sequence[Hint]) -> Answer:
        raster = rasterize(hints, plain.seen)
        output = plain.output
        if self.card.supports_hints:
            output = self._tempered(self.session.run(self.output, **self.inputs(plain.seen, raster))[0])
            if plain.unaveraged is not None:
                output += plain.output
                output -= plain.unaveraged
        return self.answers(
            self.card, output, plain.seen, raster.points, recognize=plain.recognize, unhinted=plain
        )

    def _plain_answer(self, luminance: Float, further: Sequence[Float]) -> Answer:
        planes = [stretch_contrast(plane) for plane in (luminance, *further)]
        # at once where there are threads: a small network leaves each waiting for the other at every layer
        passes = mapped_in_order(self._averaged, planes, self.session.threads)
        (seen, (own, averaged, recognize)), *others = passes
        nothing = rasterize((), seen)
        for _, (_, other, _) in others:
            averaged = averaged + _resized(other, averaged.shape[1:])
        averaged = averaged / np.float32(1 + len(further)) if further else averaged
        alone = None if averaged is own else own
        return self.answers(self.card, averaged, seen, nothing.points, recognize, alone)

    def _averaged(self, seen: Float) -> tuple[Float, Float, Callable[[], tuple[Float, Float]]]:
        """The output for a photo, its mean with that for the mirror image, and a way to the features."""
        inputs = self.inputs(seen, rasterize((), seen))
        outputs = [self.output, *self.recognized]
        if not self.card.mirror:
            found = self.session.run_many(outputs, **inputs)
            own = averaged = self._tempered(found[0][0])
        else:
            mirrored = {name: np.ascontiguousarray(plane[..., ::-1]) for name, plane in inputs.items()}
            found, other = self.session.run_both((outputs, inputs), ([self.output], mirrored))
            own = self._tempered(found[0][0])
            averaged = _mean_with_mirrored(own, self._tempered(other[0][0]))
        if self.recognized:
            return own, averaged, lambda: (found[1][0], found[2][0])
        return own, averaged, lambda: self.recognize(seen)

    def inputs(self, seen: Float, raster: Raster) -> _Planes:
        """The tensors that the graph is fed, by name, for the L* (h, w) seen and the hints drawn on it."""
        return {"luminance": seen[None, None], "hints": raster.hints[None]}

    def _tempered(self, output: Float) -> Float:
        return output

    # --- features ------------------------------------------------------------------------------

    def features(self, luminance: Float) -> Float:
        """(C, h/16, w/16) float32: what is recognized in a photo, L* (h, w) 0..100, both multiples of 32."""
        return self.recognize(stretch_contrast(luminance))[0]

    def recognize(self, seen: Float) -> tuple[Float, Float]:
        """Features and details, from the default model where the graph has none."""
        return self._recognizer.recognize(_fitted(seen, self._recognizer.working_size(*seen.shape)))

    @cached_property
    def _recognizer(self) -> Network:
        return load_network(DEFAULT, threads=self.session.threads, providers=self.session.providers)


class PhotochromNetwork(Network):
    """Our network: logits over ab bins at stride 4, features, and hints also carried along edges."""

    output = "logits"
    answers = DistributionAnswer
    recognized = ("features", "details")

    def inputs(self, seen: Float, raster: Raster) -> _Planes:
        carried = spread(cell_means(seen), raster.points)
        return {**super().inputs(seen, raster), "spread": carried[None]}

    def recognize(self, seen: Float) -> tuple[Float, Float]:
        inputs = self.inputs(seen, rasterize((), seen))
        features, details = self.session.run_many(self.recognized, **inputs)
        return features[0], details[0]

    def _tempered(self, output: Float) -> Float:
        """The logits at the temperature of the model's card, in place."""
        if self.card.temperature != 1:
            output /= np.float32(self.card.temperature)
        return output


FAMILIES: dict[str, type[Network]] = {
    "photochrom": PhotochromNetwork,
    **dict.fromkeys(("ab", "siggraph17", "eccv16", "ddcolor", "ddcolor-tiny"), Network),
}


@dataclass(frozen=True, eq=False)
class _AverageAnswer(Answer):
    """What several models answer, and the mean of their colors."""

    parts: tuple[tuple[float, Answer], ...] = ()  # shares, of sum 1, and answers

    def ab(self, vividness: float = DEFAULT_VIVIDNESS) -> Float:
        return _mean(self.parts, vividness, self.seen.shape)


class _AverageNetwork(Network):
    """Several models at once: unlike models err differently, so that their mean is nearer the truth.

    They are asked one after the other; the largest working size is the size of the answer.
    """

    def __init__(self, members: Sequence[tuple[float, Network]], card: Card):
        super().__init__(members[0][1].session)
        total = sum(weight for weight, _ in members)
        self.members = [(weight / total, network) for weight, network in members]
        self.card = card

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        return max(
            (network.working_size(height, width) for _, network in self.members),
            key=lambda size: size[0] * size[1],
        )

    def further_sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        return []  # each member makes its own

    def _plain_answer(self, luminance: Float, further: Sequence[Float]) -> Answer:
        parts = []
        for share, network in self.members:
            own, *others = (
                _fitted(luminance, size)
                for size in (
                    network.working_size(*luminance.shape),
                    *network.further_sizes(*luminance.shape),
                )
            )
            parts.append((share, network.answer(own, further=others)))
        return self._mean_answer(parts, stretch_contrast(luminance), ())

    def _hinted_answer(self, plain: Answer, hints: Sequence[Hint]) -> Answer:
        assert isinstance(plain, _AverageAnswer)
        parts = [
            (share, network.answer(part.seen, hints, unhinted=part))
            for (_, network), (share, part) in zip(self.members, plain.parts, strict=True)
        ]
        return self._mean_answer(parts, plain.seen, hints, plain)

    def _mean_answer(
        self,
        parts: Sequence[tuple[float, Answer]],
        seen: Float,
        hints: Sequence[Hint],
        plain: Answer | None = None,
    ) -> Answer:
        return _AverageAnswer(
            self.card,
            _mean(parts, DEFAULT_VIVIDNESS, seen.shape).transpose(2, 0, 1),
            seen,
            rasterize(hints, seen).points,
            lambda: self.recognize(seen),
            unhinted=plain,
            parts=tuple(parts),
        )


def _mean(parts: Sequence[tuple[float, Answer]], vividness: float, shape: tuple[int, ...]) -> Float:
    """(h, w, 2): the weighted mean of the answers' colors."""
    total: Float = np.zeros((*shape, 2), np.float32)
    for share, answer in parts:
        total += np.float32(share) * cv2.resize(answer.ab(vividness), shape[1::-1])
    return total


def load_network(
    model: str | Path = DEFAULT, *, threads: int | None = None, providers: Sequence[str] | None = None
) -> Network:
    """The network of a model's name, run folder, .onnx file or average; arguments and errors as `load`'s."""
    if parts := members(model):
        loaded = [
            (weight, load_network(name, threads=threads, providers=providers)) for weight, name in parts
        ]
        return _AverageNetwork(loaded, find(model)[1])
    session = load(model, threads=threads, providers=providers)
    family = session.card.family
    if family not in FAMILIES:
        raise ModelError(
            f"the card of {session.card.name} names the family {family!r}; known are {', '.join(FAMILIES)}"
        )
    return FAMILIES[family](session)


def _check_count(hints: Sequence[Hint], shape: tuple[int, ...]) -> None:
    if len(hints) > MAX_HINTS:
        raise HintError(f"{len(hints)} hints are too many: at most {MAX_HINTS} are taken")
    if (points := count_points(hints, shape[0], shape[1])) > MAX_HINTS:
        raise HintError(
            f"these strokes are too long ({points} points of color, {MAX_HINTS} are taken): draw fewer"
        )


def _mean_with_mirrored(own: Float, mirrored: Float) -> Float:
    """The mean of an output (n, h, w) and of that for the mirror image."""
    rows = own.reshape(-1, own.shape[-1])
    back = cv2.flip(mirrored.reshape(rows.shape), 1)
    mean: Float = cv2.addWeighted(rows, 0.5, back, 0.5, 0, back)
    return mean.reshape(own.shape)


def _resized(output: Float, shape: tuple[int, ...]) -> Float:
    """An output (n, h, w) at another resolution, channel by channel."""
    smaller = output.shape[1] > shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.stack([cv2.resize(plane, shape[::-1], interpolation=how) for plane in output])


def _fitted(luminance: Float, size: tuple[int, int]) -> Float:
    """L* (h, w) at the size at which another network sees it."""
    return luminance if luminance.shape == size else _resized(luminance[None], size)[0]
