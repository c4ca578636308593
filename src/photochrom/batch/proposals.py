"""Proposals beside a colored photo: each as a picture and a hints file, and all on a contact sheet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.hints import dump_hints
from photochrom.photo import Photo

if TYPE_CHECKING:
    from photochrom.color import Pixels
    from photochrom.colorizer import ColoredPlate

SIDE = 640  # px of a picture on the sheet
_GAP = 16
_CAPTION = 28


def hints_text(proposal: ColoredPlate) -> str:
    """The hints of a proposal as a hints file, to go on from with --hints."""
    return json.dumps(dump_hints(proposal.hints), indent=1) + "\n"


def contact_sheet(automatic: ColoredPlate, others: list[ColoredPlate]) -> Photo:
    """The first coloring (0) and the proposals (1…), small, in rows, with their numbers."""
    pictures = [one.preview(SIDE) for one in (automatic, *others)]
    columns = int(np.ceil(np.sqrt(len(pictures))))
    height, width = pictures[0].shape[0] + _GAP + _CAPTION, pictures[0].shape[1] + _GAP
    rows = -(-len(pictures) // columns)
    sheet: Pixels = np.full((rows * height + _GAP, columns * width + _GAP, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        top, left = _GAP + number // columns * height, _GAP + number % columns * width
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        place = (left, top + picture.shape[0] + _CAPTION - 8)
        cv2.putText(sheet, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (40, 40, 40), 1, cv2.LINE_AA)
    return Photo.from_array(sheet)
