"""Kept photos over REST: previews, parts, suggestions, maps, whole files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom.color import luminance, neutralize, rgb_to_lab
from photochrom.hints import Hint
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from photochrom.colorizer import Colorizer

RED = {"x": 0.25, "y": 0.5, "color": "#b03030", "radius": 0.05}


def picture(answer: Any, status: int = 200) -> np.ndarray[Any, Any]:
    assert answer.status_code == status, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_upload_tells_of_the_photo(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    answer = client.post("/v1/photos", files={"photo": ("grandma.jpg", make_jpeg(120, 80))})
    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/photos/{told['id']}"
    assert (told["width"], told["height"], told["format"], told["bits"]) == (120, 80, "jpeg", 8)
    assert (told["colored"], told["download_format"]) == (False, "jpeg")
    assert client.get(f"/v1/photos/{told['id']}").json() == told


def test_the_kept_file_counts_in_the_budget(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    held = []
    plain = make_jpeg(120, 80)
    for data in (plain, plain + bytes(1 << 20)):  # whatever follows the picture is kept, too
        told = client.post("/v1/photos", files={"photo": data}).json()
        held.append(client.app.state.service.store.get(told["id"]).reservation.size)
    assert held[1] - held[0] == 1 << 20


def test_a_color_photo_is_told(client: TestClient) -> None:
    pixels = np.zeros((60, 80, 3), np.uint8)
    ramp = np.linspace(40, 250, 80).astype(np.uint8)
    pixels[:30, :, 0], pixels[30:, :, 2] = ramp, ramp
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    assert client.post("/v1/photos", files={"photo": target.getvalue()}).json()["colored"] is True


@pytest.mark.parametrize("side", [16, 64, 96, 4096])
def test_preview_has_the_size_asked_for(client: TestClient, photo_id: str, side: int) -> None:
    rgb = picture(client.post(f"/v1/photos/{photo_id}/render", json={"side": side}))
    assert max(rgb.shape) == min(side, 96)


def test_a_hint_colors_its_place(client: TestClient, photo_id: str) -> None:
    url = f"/v1/photos/{photo_id}/render"
    plain = rgb_to_lab(picture(client.post(url, json={"side": 96})))
    hinted = rgb_to_lab(picture(client.post(url, json={"side": 96, "hints": [RED]})))
    assert hinted[32, 24, 1] - plain[32, 24, 1] > 15
    assert np.abs(hinted[..., 0] - plain[..., 0]).mean() < 2  # the photo's luminance stays


def test_preview_is_the_engine_s(
    client: TestClient, make_jpeg: Callable[..., bytes], colorizer: Colorizer, photo_id: str
) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"side": 96, "hints": [RED], "vividness": 0.8})
    expected = colorizer.prepare(read(make_jpeg())).preview([Hint(**RED)], 0.8, 96)
    assert np.abs(picture(answer).astype(int) - expected).mean() < 4  # JPEG


def test_part_is_cut_from_the_whole(client: TestClient, photo_id: str) -> None:
    region = {"left": 0.25, "top": 0.5, "right": 0.75, "bottom": 1.0}
    part = picture(client.post(f"/v1/photos/{photo_id}/render", json={"side": 48, "region": region}))
    whole = picture(client.post(f"/v1/photos/{photo_id}/render", json={"side": 96}))
    assert part.shape == (32, 48, 3)
    assert np.abs(part.astype(int) - whole[32:, 24:72]).mean() < 4


@pytest.mark.parametrize("region", [(0.5, 0, 0.5, 1), (0.6, 0, 0.2, 1), (1, 1, 1, 1)])
def test_empty_part(client: TestClient, photo_id: str, region: tuple[float, ...], is_problem: Any) -> None:
    asked = dict(zip(("left", "top", "right", "bottom"), region, strict=True))
    is_problem(client.post(f"/v1/photos/{photo_id}/render", json={"side": 48, "region": asked}), 400)


def test_original_is_what_came(client: TestClient, photo_id: str, make_jpeg: Callable[..., bytes]) -> None:
    got = picture(client.get(f"/v1/photos/{photo_id}/original?side=96"))
    assert np.abs(got.astype(int) - read(make_jpeg()).pixels).mean() < 3
    part = picture(client.get(f"/v1/photos/{photo_id}/original?side=96&left=0.5&bottom=0.5"))
    assert part.shape == (32, 48)


@pytest.mark.parametrize("name", ["jpeg", "png", "tiff", "webp", "avif"])
def test_whole_file_in_every_format(client: TestClient, photo_id: str, name: str) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"hints": [RED], "file": {"format": name}})
    assert answer.headers["content-type"] == f"image/{name}"
    photo = read(answer.content)
    assert (photo.format, photo.width, photo.height, photo.channels) == (name, 96, 64, 3)


def test_whole_file_keeps_luminance(
    client: TestClient, photo_id: str, make_jpeg: Callable[..., bytes]
) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"file": {"format": "png"}})
    before = luminance(read(make_jpeg()).pixels)
    after = luminance(neutralize(read(answer.content).pixels))
    step = np.gradient(luminance(np.arange(256, dtype=np.uint8)))[read(make_jpeg()).pixels]
    assert (np.abs(before - after) <= step / 2 + 0.02).all()


def test_depth_of_a_file(client: TestClient, photo_id: str, is_problem: Any) -> None:
    url = f"/v1/photos/{photo_id}/render"
    deep = client.post(url, json={"file": {"format": "tiff", "depth": 16}})
    assert read(deep.content).dtype == np.uint16
    is_problem(client.post(url, json={"file": {"depth": 12}}), 400)


def test_suggestions(client: TestClient, photo_id: str) -> None:
    plain = client.get(f"/v1/photos/{photo_id}/suggest?x=0.25&y=0.5").json()
    shares = [one["probability"] for one in plain["suggestions"]]
    assert 1 <= len(shares) <= 5
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001
    body = {"x": 0.25, "y": 0.5, "hints": [RED], "k": 3}
    hinted = client.post(f"/v1/photos/{photo_id}/suggest", json=body).json()
    assert len(hinted["suggestions"]) <= 3
    assert hinted["current"] != plain["current"]


def test_a_pin_holds_its_place(client: TestClient, photo_id: str) -> None:
    url = f"/v1/photos/{photo_id}"
    current = client.get(f"{url}/suggest?x=0.75&y=0.5").json()["current"]
    pin = {"x": 0.75, "y": 0.5, "color": current, "radius": 0.05}
    plain = rgb_to_lab(picture(client.post(f"{url}/render", json={"side": 96})))
    pinned = rgb_to_lab(picture(client.post(f"{url}/render", json={"side": 96, "hints": [pin]})))
    assert np.hypot(*(pinned - plain)[30:34, 70:74, 1:].reshape(-1, 2).T).mean() < 4


def test_uncertainty(client: TestClient, photo_id: str) -> None:
    told = client.get(f"/v1/photos/{photo_id}/uncertainty").json()
    values = np.array(told["values"])
    assert values.shape == (told["height"], told["width"])
    assert 0 <= values.min() <= values.max() <= 1
    assert 1 <= len(told["places"]) <= 6
    hinted = client.post(f"/v1/photos/{photo_id}/uncertainty", json={"hints": [RED]}).json()
    assert hinted["values"] != told["values"]


def test_difference_is_where_the_hint_is(client: TestClient, photo_id: str) -> None:
    body = {"hints": [RED], "index": 0}
    change = picture(client.post(f"/v1/photos/{photo_id}/difference", json=body))
    height, width = change.shape
    assert change[height // 2, width // 4] > 60  # at least 15 ΔE*ab
    assert change[height // 2, width // 4] >= np.percentile(change, 80)


@pytest.mark.parametrize("index", [1, 4999])
def test_difference_of_no_hint(client: TestClient, photo_id: str, index: int, is_problem: Any) -> None:
    is_problem(client.post(f"/v1/photos/{photo_id}/difference", json={"hints": [RED], "index": index}), 400)


def test_deleted_photo_is_gone(client: TestClient, photo_id: str, is_problem: Any) -> None:
    assert client.delete(f"/v1/photos/{photo_id}").status_code == 204
    for answer in (
        client.get(f"/v1/photos/{photo_id}"),
        client.delete(f"/v1/photos/{photo_id}"),
        client.post(f"/v1/photos/{photo_id}/render", json={"side": 64}),
    ):
        is_problem(answer, 410)


@pytest.mark.parametrize("photo_id", ["nothing", "0" * 36, "%00", "..%2F..%2Fetc"])
def test_unknown_photo(client: TestClient, photo_id: str, is_problem: Any) -> None:
    is_problem(client.post(f"/v1/photos/{photo_id}/render", json={"side": 64}), 404)


def test_clients_of_one_photo_do_not_meet(client: TestClient, photo_id: str) -> None:
    url = f"/v1/photos/{photo_id}/render"
    blue = {**RED, "color": "#3040b0"}
    first = client.post(url, json={"side": 64, "hints": [RED]}).content
    second = client.post(url, json={"side": 64, "hints": [blue]}).content
    assert first != second
    assert client.post(url, json={"side": 64, "hints": [RED]}).content == first


BAD_HINTS = [
    {"x": 1.01, "y": 0, "color": "#000000"},
    {"x": -0.1, "y": 0, "color": "#000000"},
    {"x": 0.5, "y": 0.5, "color": "red"},
    {"x": 0.5, "y": 0.5, "color": "#12345"},
    {"x": "0.5", "y": 0.5, "color": "#000000"},
    {"x": 0.5, "y": 0.5},
    {"x": 0.5, "y": 0.5, "color": "#000000", "radius": 0},
    {"x": 0.5, "y": 0.5, "color": "#000000", "radius": 9},
    {"x": 0.5, "y": 0.5, "color": "#000000", "weight": 2},
    {"x": 0.5, "y": 0.5, "color": "#000000", "path": [[0.1]]},
    {"x": 0.5, "y": 0.5, "color": "#000000", "path": [[0.1, 3]]},
    {"x": 0.5, "y": 0.5, "color": "#000000", "shape": "star"},
    None,
    [],
]


@pytest.mark.parametrize("hint", BAD_HINTS)
def test_hints_that_make_no_sense(client: TestClient, photo_id: str, hint: Any, is_problem: Any) -> None:
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "hints": [RED, hint]})
    assert is_problem(answer, 400)["errors"][0]["pointer"].startswith("#/hints/1")


def test_numbers_that_are_none(client: TestClient, photo_id: str, is_problem: Any) -> None:
    body = b'{"side": 64, "hints": [{"x": NaN, "y": 0.5, "color": "#000000"}]}'
    headers = {"Content-Type": "application/json"}
    is_problem(client.post(f"/v1/photos/{photo_id}/render", content=body, headers=headers), 400)


def test_ten_thousand_hints(client: TestClient, photo_id: str, is_problem: Any) -> None:
    hints = [{"x": 0.5, "y": 0.5, "color": "#806040"}] * 10_000
    is_problem(client.post(f"/v1/photos/{photo_id}/render", json={"side": 64, "hints": hints}), 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b"\xff\xfe"])
def test_bodies_that_are_no_request(client: TestClient, photo_id: str, body: bytes, is_problem: Any) -> None:
    headers = {"Content-Type": "application/json"}
    is_problem(client.post(f"/v1/photos/{photo_id}/render", content=body, headers=headers), 400)


@pytest.mark.parametrize(
    "body", [{"side": 0}, {"side": 99999}, {"side": "x"}, {"vividness": 2}, {"nonsense": 1}]
)
def test_options_that_make_no_sense(client: TestClient, photo_id: str, body: Any, is_problem: Any) -> None:
    is_problem(client.post(f"/v1/photos/{photo_id}/render", json=body), 400)
