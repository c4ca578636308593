"""Producers of hints: color it like that photo, keep to these colors, show me other ideas.

    reference_hints(plate, reference)    the colors of another photo, at the places that match
    palette_hints(plate, palette)        a palette's colors, where the network would have allowed them
    remaining_hints(plate)               a faded color photo's own remaining color
    proposals(plate, k)                  k hint lists that differ where the network is least sure

`guidance_of` asks the producers in the order of PRODUCERS: a person's hints beat the reference, which beats
the palette and the photo's own remaining color. A new way to guide the colors is a file here with a
function (plate, look, stronger hints) -> Guidance, its field in Look, and its line in PRODUCERS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photochrom.guidance.combine import Guidance, combined
from photochrom.guidance.keep_color import guide_by_remaining_color, remaining_hints
from photochrom.guidance.palette import guide_by_palette, palette_hints
from photochrom.guidance.proposals import proposals
from photochrom.guidance.reference import Reference, guide_by_reference, reference_hints
from photochrom.palette import Palette

if TYPE_CHECKING:
    from photochrom.look import Look
    from photochrom.prepared import PreparedPhoto

PRODUCERS = (guide_by_reference, guide_by_palette, guide_by_remaining_color)


def guidance_of(plate: PreparedPhoto, look: Look) -> Guidance:
    """All the hints that a look comes to on a photo, the person's own the strongest.

    Raises GuidanceError where a part of the look cannot be had, PhotoError for an unreadable reference.
    """
    hints, redraw = list(look.hints), None
    for produce in PRODUCERS:
        given = produce(plate, look, hints)
        hints = combined(plate, hints, given.hints) if given.hints else hints
        redraw = given.redraw or redraw
    return Guidance(tuple(hints), redraw)


__all__ = [
    "Guidance",
    "Palette",
    "Reference",
    "combined",
    "guidance_of",
    "palette_hints",
    "proposals",
    "reference_hints",
    "remaining_hints",
]
