"""One request, one picture."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from photochrom import documents
from photochrom.photo import FileOptions, read
from photochrom.photo.jpeg_luminance import compare_luminance
from photochrom.provenance import is_marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

RED = {"x": 0.25, "y": 0.5, "color": "#b03030", "radius": 0.05}


def hints_file(*hints: Any) -> str:
    return json.dumps({"version": 1, "hints": hints})


def post(client: TestClient, photo: bytes, **fields: Any) -> Any:
    return client.post("/v1/colorize", files={"photo": ("old photo.jpg", photo)}, data=fields)


def test_the_picture_comes_back(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    answer = post(client, make_jpeg(130, 70, dpi=(300, 300), comment=b"Aunt Ada"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    photo = read(answer.content)
    assert (photo.width, photo.height, photo.channels) == (130, 70, 3)
    assert photo.metadata.comment == "Aunt Ada"
    assert photo.metadata.dpi == (300, 300)
    assert is_marked(photo.metadata)


def test_hints_and_vividness_count(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    plain = post(client, make_jpeg(), format="png")
    hinted = post(client, make_jpeg(), format="png", hints=hints_file(RED))
    vivid = post(client, make_jpeg(), format="png", vividness=1)
    assert len({answer.content for answer in (plain, hinted, vivid)}) == 3
    red = read(hinted.content).rgb[32, 24].astype(int)
    assert red[0] > red[1] + 20


def test_same_as_the_kept_photo(client: TestClient, make_jpeg: Callable[..., bytes], photo_id: str) -> None:
    once = read(post(client, make_jpeg(), format="png", hints=hints_file(RED)).content)
    body = {"hints": [RED], "file": {"format": "png"}}
    kept = read(client.post(f"/v1/photos/{photo_id}/render", json=body).content)
    assert np.array_equal(once.rgb, kept.rgb)


@pytest.mark.parametrize(
    ("strip", "marked", "comment", "is_found"),
    [
        (False, True, "Ada", True),
        (False, False, "Ada", False),
        (True, True, None, True),
        (True, False, None, False),
    ],
)
def test_metadata_and_mark(
    client: TestClient,
    make_jpeg: Callable[..., bytes],
    strip: bool,
    marked: bool,
    comment: Any,
    is_found: bool,
) -> None:
    answer = post(client, make_jpeg(comment=b"Ada"), strip=strip, mark=marked)
    metadata = read(answer.content).metadata
    assert (metadata.comment, is_marked(metadata)) == (comment, is_found)


@pytest.mark.parametrize(("name", "dtype"), [("tiff", np.uint16), ("png", np.uint16)])
def test_sixteen_bits_stay(client: TestClient, name: str, dtype: Any) -> None:
    target = io.BytesIO()
    Image.fromarray(np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)).save(
        target, name.upper()
    )
    answer = post(client, target.getvalue())
    assert answer.headers["content-type"] == f"image/{name}"
    assert read(answer.content).dtype == dtype


def test_a_format_that_holds_no_color_becomes_png(client: TestClient) -> None:
    target = io.BytesIO()
    Image.new("1", (40, 40)).save(target, "BMP")
    assert post(client, target.getvalue()).headers["content-type"] == "image/png"


@pytest.mark.parametrize("size", [(1, 1), (2000, 1), (1, 500)])
def test_odd_shapes(client: TestClient, make_jpeg: Callable[..., bytes], size: tuple[int, int]) -> None:
    photo = read(post(client, make_jpeg(*size)).content)
    assert (photo.width, photo.height) == size


BAD_FIELDS = [
    {"hints": "{"},
    {"hints": "[]"},
    {"hints": '{"version": 2, "hints": []}'},
    {"hints": hints_file({"x": 2, "y": 0, "color": "#000000"})},
    {"hints": hints_file(*[RED] * 5001)},
    {"vividness": "2"},
    {"vividness": "nan"},
    {"vividness": "very"},
    {"format": "gif"},
    {"format": "exe"},
    {"quality": "0"},
    {"depth": "12"},
    {"depth": "deep"},
    {"subsampling": "5:5:5"},
    {"strip": "perhaps"},
]


@pytest.mark.parametrize("fields", BAD_FIELDS, ids=lambda fields: str(fields)[:40])
def test_fields_that_make_no_sense(
    client: TestClient, make_jpeg: Callable[..., bytes], fields: dict[str, str], is_problem: Any
) -> None:
    assert is_problem(post(client, make_jpeg(), **fields), 400)["detail"]


@pytest.mark.parametrize("path", ["/v1/colorize", "/v1/photos"])
def test_unknown_fields_are_refused_by_name(
    client: TestClient, make_jpeg: Callable[..., bytes], path: str, is_problem: Any
) -> None:
    """What was ignored in silence: `vivid` for `vividness`."""
    files = {"photo": make_jpeg(), "extra": make_jpeg()}
    told = is_problem(client.post(path, files=files, data={"vivid": "1"}), 400)
    assert told["type"].endswith("unknown-field")
    assert "extra, vivid" in told["detail"]
    assert "photo" in told["detail"].partition("fields are")[2]


def test_every_option_of_a_file_is_taken_by_both_routes(
    client: TestClient, make_jpeg: Callable[..., bytes], photo_id: str
) -> None:
    """What had drifted: 4:2:2 and the profile were the command's alone."""
    wanted = FileOptions("jpeg", quality=80, subsampling="4:2:2", profile="input", strip=True, mark=False)
    asked = documents.dump(wanted, defaults=False)
    whole = client.post(f"/v1/photos/{photo_id}/render", json={"file": asked}).content
    assert post(client, make_jpeg(), **{name: str(value) for name, value in asked.items()}).content == whole
    assert not is_marked(read(whole).metadata)
    properties = client.get("/openapi.json").json()["components"]["schemas"]["FileOptions"]["properties"]
    assert properties.keys() == {item.name for item in fields(FileOptions)}
    assert all(told["description"] for told in properties.values())


@pytest.mark.parametrize(("name", "kind"), [("jpg", "jpeg"), ("tif", "tiff")])
def test_formats_by_their_suffix(
    client: TestClient, make_jpeg: Callable[..., bytes], photo_id: str, name: str, kind: str
) -> None:
    assert post(client, make_jpeg(), format=name).headers["content-type"] == f"image/{kind}"
    answer = client.post(f"/v1/photos/{photo_id}/render", json={"file": {"format": name}})
    assert answer.headers["content-type"] == f"image/{kind}"


def test_warnings_reach_the_caller(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:30, :, 0] = pixels[30:, :, 2] = np.linspace(40, 250, 80).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "TIFF", save_all=True, append_images=[Image.new("L", (60, 80))])
    told = json.loads(post(client, target.getvalue()).headers["photochrom-warnings"])
    assert any("page" in sentence for sentence in told)
    assert any("colo" in sentence for sentence in told)
    assert "photochrom-warnings" not in post(client, make_jpeg()).headers


def test_refusals_speak_of_fields(
    client: TestClient, make_jpeg: Callable[..., bytes], is_problem: Any
) -> None:
    assert "--" not in is_problem(post(client, make_jpeg(), keep_color=True), 400)["detail"]


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.4", b"<svg/>"])
def test_no_picture(client: TestClient, content: bytes, is_problem: Any) -> None:
    is_problem(post(client, content), 415)


def test_truncated_picture(client: TestClient, make_jpeg: Callable[..., bytes], is_problem: Any) -> None:
    is_problem(post(client, make_jpeg(400, 300)[:700]), 422)


def test_no_photo_at_all(client: TestClient, is_problem: Any) -> None:
    assert "photo" in is_problem(client.post("/v1/colorize", data={"vividness": "1"}), 400)["detail"]
    is_problem(client.post("/v1/colorize", data={"photo": "text"}), 400)


@pytest.mark.parametrize("body", [b"", b"--b", b"--b\r\n\r\n", b"--b--", b"\x00" * 100])
def test_broken_multipart(client: TestClient, body: bytes, is_problem: Any) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    is_problem(client.post("/v1/colorize", content=body, headers=headers), 400)


def test_multipart_without_a_boundary(client: TestClient, is_problem: Any) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    is_problem(client.post("/v1/colorize", content=b"x", headers=headers), 400)


def test_memory_is_given_back(client: TestClient, make_jpeg: Callable[..., bytes]) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    held = service.store.held
    post(client, make_jpeg())
    post(client, b"broken")
    assert service.budget.used == held


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_grey_jpeg_keeps_its_luminance_data(
    client: TestClient, make_jpeg: Callable[..., bytes], orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = make_jpeg(130, 70, exif=exif)
    assert compare_luminance(data, post(client, data).content) == "identical"
    anew = post(client, data, luminance="lightness").content
    assert compare_luminance(data, anew) == "encoded"
    taken = client.post("/v1/photos", files={"photo": ("old.jpg", data)}).json()["id"]
    kept = client.post(f"/v1/photos/{taken}/render", json={}).content
    assert compare_luminance(data, kept) == "identical"


def test_a_color_jpeg_is_decoded_in_the_decoder_process_alone(client: TestClient) -> None:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 100, 70)).save(target, "jpeg")
    assert read(post(client, target.getvalue()).content).format == "jpeg"
