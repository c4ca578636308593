"""Producers of hints: colour it like that photo, keep to these colours, show me other ideas.

    reference_hints(plate, photo)    the colours of another photo, at the places that match
    palette_hints(plate, palette)    a palette's colours, where the network would have allowed them
    remaining_hints(plate)           a faded colour photo's own remaining colour
    proposals(plate, k)              k hint lists that differ where the network is least sure

All are pure functions of a Plate. `Guidance` combines them: a person's hints beat the reference, which
beats the photo's own remaining colour and the palette.

    wishes = Guidance(hints, reference=read("house.jpg"), palette=Palette.parse("#7a2e1d, #3b5998"))
    wishes.guide(plate).render(plate)
"""

from __future__ import annotations

from photochrom.guidance.combine import Guidance, Guided, combined
from photochrom.guidance.keep_color import remaining_hints
from photochrom.guidance.palette import Palette, PaletteDraw, palette_hints
from photochrom.guidance.proposals import proposals
from photochrom.guidance.reference import Reference, reference_hints

__all__ = [
    "Guidance",
    "Guided",
    "Palette",
    "PaletteDraw",
    "Reference",
    "combined",
    "palette_hints",
    "proposals",
    "reference_hints",
    "remaining_hints",
]
