"""Guidance over REST: proposals, another photo's colors, a palette, the photo's own color."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom.color import rgb_to_lab
from photochrom.hints import load_hints
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

RED = {"x": 0.25, "y": 0.5, "color": "#b03030", "radius": 0.05}


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def faded(make_jpeg: Callable[..., bytes]) -> bytes:
    """The gray test picture with a faint color of two hues."""
    gray = read(make_jpeg()).pixels.astype(int)
    tint = np.where(np.arange(96) < 48, 1, -1)[None, :]
    return png(np.stack([gray + 12 * tint, gray, gray - 12 * tint], -1).clip(0, 255).astype(np.uint8))


def test_proposals_are_hints_files_that_differ(client: TestClient, photo_id: str) -> None:
    told = client.get(f"/v1/photos/{photo_id}/proposals?k=3&seed=1").json()["proposals"]
    assert len(told) == 3
    pictures = set()
    for proposal in told:
        load_hints(proposal)
        answer = client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "hints": proposal["hints"]})
        assert answer.status_code == 200
        pictures.add(answer.content)
    assert len(pictures) == 3
    assert client.get(f"/v1/photos/{photo_id}/proposals?k=3&seed=1").json()["proposals"] == told


def test_proposals_keep_my_hints(client: TestClient, photo_id: str) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/proposals", json={"hints": [RED], "k": 2})
    for proposal in answer.json()["proposals"]:
        assert RED["color"] in [hint["color"] for hint in proposal["hints"]]


@pytest.mark.parametrize("query", ["k=0", "k=13", "k=x", "seed=-1", "seed=x"])
def test_proposals_in_vain(client: TestClient, photo_id: str, query: str, is_problem: Any) -> None:
    is_problem(client.get(f"/v1/photos/{photo_id}/proposals?{query}"), 400)


def test_another_photo_gives_its_colors(client: TestClient, faded: bytes) -> None:
    photo = client.post("/v1/photos", files={"photo": faded}).json()["id"]
    vivid = np.array(Image.open(io.BytesIO(faded))).astype(int)
    vivid[..., 0] += 40
    vivid[..., 2] -= 40
    data = {"hints": json.dumps({"version": 1, "hints": [RED]})}
    files = {"photo": png(vivid.clip(0, 255).astype(np.uint8))}
    answer = client.post(f"/v1/photos/{photo}/reference", files=files, data=data)
    hints = load_hints(answer.json())
    assert len(hints) > 1
    assert hints[-1].color == RED["color"]  # mine comes last: it covers the others


def test_a_grey_reference_is_told(
    client: TestClient, photo_id: str, make_jpeg: Callable[..., bytes], is_problem: Any
) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/reference", files={"photo": make_jpeg()})
    assert is_problem(answer, 400)["type"].endswith("bad-guidance")
    is_problem(client.post(f"/v1/photos/{photo_id}/reference", files={"photo": b"text"}), 415)


def hues(answer: Any) -> np.ndarray[Any, Any]:
    """Hue angles of the places with color."""
    lab = rgb_to_lab(np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))).reshape(-1, 3)
    ab = lab[np.hypot(lab[:, 1], lab[:, 2]) > 8, 1:]
    return np.asarray(np.degrees(np.arctan2(ab[:, 1], ab[:, 0])))


def test_a_palette_is_kept_to(client: TestClient, photo_id: str, make_jpeg: Callable[..., bytes]) -> None:
    wanted = np.degrees(np.arctan2(*rgb_to_lab(np.array([122, 46, 29], np.uint8))[:0:-1]))
    body = {"side": 96, "palette": ["#7a2e1d"], "vividness": 1, "hints": []}
    kept = client.post(f"/v1/photos/{photo_id}/render", json=body)
    form = {"palette": "#7a2e1d", "vividness": 1, "format": "png"}
    once = client.post("/v1/colorize", files={"photo": make_jpeg()}, data=form)
    for answer in (kept, once):
        assert answer.status_code == 200
        found = hues(answer)
        assert len(found) > 100
        assert np.mean(np.abs((found - wanted + 180) % 360 - 180) < 20) > 0.9


def test_own_color_is_kept(client: TestClient, faded: bytes) -> None:
    def colorized(**form: Any) -> np.ndarray[Any, Any]:
        answer = client.post("/v1/colorize", files={"photo": faded}, data={"format": "png", **form})
        return rgb_to_lab(read(answer.content).rgb)

    plain, kept = colorized(), colorized(keep_color=True)
    apart = [lab[:, :40, 2].mean() - lab[:, 56:, 2].mean() for lab in (plain, kept)]
    assert apart[1] > apart[0] + 5


def test_a_reference_in_one_request(client: TestClient, faded: bytes) -> None:
    vivid = np.array(Image.open(io.BytesIO(faded))).astype(int)
    vivid[..., 0] += 40
    files = {"photo": faded, "reference": png(vivid.clip(0, 255).astype(np.uint8))}
    answers = [
        client.post("/v1/colorize", files=one, data={"format": "png"}) for one in ({"photo": faded}, files)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content != answers[1].content


@pytest.mark.parametrize("palette", ["red", "#12", "#808080", "picture.jpg", "/etc/passwd"])
def test_palettes_that_make_no_sense(
    client: TestClient, photo_id: str, make_jpeg: Callable[..., bytes], palette: str, is_problem: Any
) -> None:
    is_problem(client.post("/v1/colorize", files={"photo": make_jpeg()}, data={"palette": palette}), 400)
    is_problem(client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "palette": [palette]}), 400)


def test_a_palette_never_reads_the_server_s_files(
    client: TestClient, make_jpeg: Callable[..., bytes], tmp_path: Path
) -> None:
    picture = tmp_path / "secret.png"
    picture.write_bytes(png(np.full((40, 40, 3), (200, 30, 30), np.uint8)))
    answer = client.post("/v1/colorize", files={"photo": make_jpeg()}, data={"palette": str(picture)})
    assert answer.status_code == 400
    assert "is not a color" in answer.json()["detail"]
