"""Photos kept between requests: they expire, and the least recently used go first when memory is short."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochrom.server.problems import ExpiredPhoto, UnknownPhoto

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.colorizer import Plate
    from photochrom.photo import Photo
    from photochrom.server.budget import Budget, Reservation

_NONCE = 12  # random bytes of an id
_SIGNATURE = 6  # bytes of its signature


@dataclass(eq=False)
class Kept:
    """A prepared photo and the memory reserved for it."""

    id: str
    photo: Photo
    plate: Plate
    reservation: Reservation
    used: float
    sha256: str = ""  # of the file that came
    colored: bool = False  # it came with colors, which are dropped


class PhotoStore:
    """Kept photos by id.

    An id is a random number with this server's signature. A signed id that is not kept has expired (410);
    any other never existed (404). So nothing needs to be remembered about photos that are gone.
    """

    def __init__(self, budget: Budget, expiry: float, clock: Callable[[], float] = time.monotonic):
        self._budget, self._expiry, self._clock = budget, expiry, clock
        self._kept: dict[str, Kept] = {}  # least recently used first
        self._lock = threading.RLock()
        self._key = secrets.token_bytes(32)
        budget.on_shortage(self._make_room)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def held(self) -> int:
        """Bytes reserved for kept photos."""
        with self._lock:
            return sum(kept.reservation.size for kept in self._kept.values())

    def add(
        self, photo: Photo, plate: Plate, reservation: Reservation, *, sha256: str = "", colored: bool = False
    ) -> Kept:
        """Keep a photo; the store owns its reservation from now on."""
        kept = Kept(self._new_id(), photo, plate, reservation, self._clock(), sha256, colored)
        with self._lock:
            self.sweep()
            self._kept[kept.id] = kept
        return kept

    def get(self, photo_id: str) -> Kept:
        """The photo of an id, now the most recently used. Raises ExpiredPhoto or UnknownPhoto."""
        with self._lock:
            self.sweep()
            kept = self._kept.pop(photo_id, None)
            if kept is None:
                raise ExpiredPhoto if self._issued(photo_id) else UnknownPhoto
            kept.used = self._clock()
            self._kept[photo_id] = kept
        return kept

    def remove(self, photo_id: str) -> None:
        """Forget a photo. Raises ExpiredPhoto or UnknownPhoto."""
        with self._lock:
            self.get(photo_id)
            self._drop(photo_id)

    def sweep(self) -> None:
        """Forget what has expired."""
        with self._lock:
            oldest = self._clock() - self._expiry
            for photo_id in [kept.id for kept in self._kept.values() if kept.used < oldest]:
                self._drop(photo_id)

    def clear(self) -> None:
        with self._lock:
            for photo_id in list(self._kept):
                self._drop(photo_id)

    def _make_room(self, missing: int) -> None:
        """Give back at least `missing` bytes, if the kept photos hold as many."""
        with self._lock:
            for photo_id in list(self._kept):
                if missing <= 0:
                    return
                missing -= self._kept[photo_id].reservation.size
                self._drop(photo_id)

    def _drop(self, photo_id: str) -> None:
        self._kept.pop(photo_id).reservation.release()

    def _new_id(self) -> str:
        nonce = secrets.token_bytes(_NONCE)
        return (nonce + self._sign(nonce)).hex()

    def _sign(self, nonce: bytes) -> bytes:
        return hmac.new(self._key, nonce, hashlib.sha256).digest()[:_SIGNATURE]

    def _issued(self, photo_id: str) -> bool:
        try:
            data = bytes.fromhex(photo_id)
        except ValueError:
            return False
        if len(data) != _NONCE + _SIGNATURE or data.hex() != photo_id:
            return False
        return hmac.compare_digest(data[_NONCE:], self._sign(data[:_NONCE]))
