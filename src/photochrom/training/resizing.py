"""Resizing as training does it: area averages down, straight lines up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T", np.uint8, np.uint16, np.float32)


def resize(picture: NDArray[T], height: int, width: int) -> NDArray[T]:
    """(H, W) or (H, W, C) at another size, same type."""
    smaller = min(picture.shape[0] / height, picture.shape[1] / width) >= 1
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=interpolation)
    return np.asarray(resized, picture.dtype)


def shrink(picture: NDArray[T], side: int) -> NDArray[T]:
    """(H, W, C) with its short side at most `side`; smaller pictures stay as they are."""
    height, width = picture.shape[:2]
    short = min(height, width)
    if short <= side:
        return picture
    return resize(picture, max(1, round(height * side / short)), max(1, round(width * side / short)))


def square(picture: NDArray[T], side: int) -> NDArray[T]:
    """The center square of (H, W, C), resized to (side, side, C)."""
    height, width = picture.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return resize(picture[top : top + short, left : left + short], side, side)
