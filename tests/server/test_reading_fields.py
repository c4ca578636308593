"""The command's options of reading and of what lies beside the picture, as form fields."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image

from photochrom.batch.options import Options
from photochrom.cli import photochrom
from photochrom.color import luminance, rgb_to_lab
from photochrom.photo import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    Make = Callable[..., bytes]

# what the command alone has: limits are the server's, ideas and pages are many files
THE_COMMANDS_ALONE = {"max_pixels", "max_side", "keep_dates", "pages", "proposals", "seed"}


def post(client: TestClient, photo: bytes, name: str = "scan.jpg", **fields: Any) -> Any:
    return client.post("/v1/colorize", files={"photo": (name, photo)}, data=fields)


def pages(count: int = 2) -> bytes:
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as file:
        for number in range(count):
            file.write(np.full((40, 60), 60 + 100 * number, np.uint8))
    return target.getvalue()


def test_the_form_has_every_option_of_the_command(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    (form,) = (schema for name, schema in schemas.items() if name.startswith("Body_colorize"))
    assert set(form["properties"]) - {"photo"} == {item.name for item in fields(Options)} - THE_COMMANDS_ALONE


@pytest.mark.parametrize("path", ["/v1/colorize", "/v1/photos"])
def test_a_page_is_chosen(client: TestClient, path: str, is_problem: Any) -> None:
    def answer(page: int) -> Any:
        return client.post(path, files={"photo": ("scan.tif", pages())}, data={"page": page})

    found = answer(1)
    if path.endswith("colorize"):
        level = rgb_to_lab(read(found.content).rgb)[..., 0].mean()
        assert abs(level - luminance(np.full((1, 1), 160, np.uint8)).mean()) < 0.3
        told = json.loads(found.headers["Photochrom-Warnings"])
    else:
        told = found.json()["warnings"]
    assert told == ["it has 2 pages: only page 1 is read"]
    assert "page 2 does not exist" in is_problem(answer(2), 400)["detail"]
    assert "page" in is_problem(answer(-1), 400)["detail"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_negative_is_inverted(client: TestClient, dtype: Any) -> None:
    ramp = np.linspace(0, np.iinfo(dtype).max, 64 * 64).reshape(64, 64).astype(dtype)
    target = io.BytesIO()
    tifffile.imwrite(target, ramp)
    photo = read(post(client, target.getvalue(), invert=True).content)
    expected = luminance(np.iinfo(dtype).max - ramp)
    assert np.abs(rgb_to_lab(photo.rgb)[..., 0] - expected).max() < 0.3
    kept = client.post("/v1/photos", files={"photo": target.getvalue()}, data={"invert": "true"}).json()
    preview = client.get(f"/v1/photos/{kept['id']}/original?side=64").content
    shown = np.asarray(Image.open(io.BytesIO(preview)).convert("L")).astype(int)
    assert shown[0, 0] > 245
    assert shown[-1, -1] < 10
    assert kept["sha256"] == hashlib.sha256(target.getvalue()).hexdigest()


def test_a_cut_photo_is_salvaged(client: TestClient, make_jpeg: Make, is_problem: Any) -> None:
    cut = make_jpeg(400, 300)[:2500]
    assert is_problem(post(client, cut), 422)
    answer = post(client, cut, salvage=True)
    assert answer.status_code == 200
    assert read(answer.content).pixels.shape == (300, 400, 3)
    assert any("damaged or cut short" in said for said in json.loads(answer.headers["Photochrom-Warnings"]))


def test_side_by_side(client: TestClient, make_jpeg: Make) -> None:
    photo = read(post(client, make_jpeg(90, 60), side_by_side=True, format="png").content)
    assert (photo.width, photo.height) == (180, 60)
    np.testing.assert_array_equal(photo.rgb[:, :90], read(make_jpeg(90, 60)).rgb)


@pytest.mark.parametrize("kind", ["tiff", "png"])
def test_a_layer_comes_in_a_zip_file_as_the_command_writes_it(
    client: TestClient, make_jpeg: Make, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "scan.jpg").write_bytes(make_jpeg(90, 60))
    done = CliRunner().invoke(photochrom, ["colorize", str(tmp_path / "scan.jpg"), "--layer", kind])
    assert done.exit_code == 0, done.output
    answer = post(client, make_jpeg(90, 60), layer=kind)
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    written = {path.name for path in tmp_path.iterdir()} - {"scan.jpg"}
    assert set(archive.namelist()) == written
    for name in written:
        assert archive.read(name) == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("colored", [False, True])
def test_redo_makes_the_same_picture_from_a_sidecar(
    client: TestClient, make_jpeg: Make, tmp_path: Path, colored: bool
) -> None:
    data = make_jpeg(90, 60)
    if colored:
        target = io.BytesIO()
        Image.open(io.BytesIO(data)).convert("RGB").save(target, "JPEG", quality=95)
        data = target.getvalue()
    hints = json.dumps({"version": 1, "hints": [{"x": 0.5, "y": 0.5, "color": "#b03030"}]})
    answer = post(client, data, sidecar=True, hints=hints, vividness=0.7, palette="#b03030, #204080")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "scan.jpg").write_bytes(data)
    again = tmp_path / "again.jpg"
    done = CliRunner().invoke(photochrom, ["redo", str(tmp_path / "scan.colorized.json"), "-o", str(again)])
    assert done.exit_code == 0, done.output
    assert again.read_bytes() == (tmp_path / "scan.colorized.jpg").read_bytes()


def test_names_cannot_leave_the_zip_file(client: TestClient, make_jpeg: Make) -> None:
    for name in (
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "a/b:c.jpg",
        "",
        ".",
        "\x07.jpg",
        "é" * 300 + ".jpg",
    ):
        answer = post(client, make_jpeg(), name=name, sidecar=True)
        if answer.status_code == 200:
            for member in zipfile.ZipFile(io.BytesIO(answer.content)).namelist():
                assert not set("/\\:\x07") & set(member)
                assert ".colorized." in member


def test_a_sidecar_and_a_reference_do_not_go_together(
    client: TestClient, make_jpeg: Make, is_problem: Any
) -> None:
    files = {"photo": make_jpeg(), "reference": make_jpeg(seed=2)}
    assert (
        "reference"
        in is_problem(client.post("/v1/colorize", files=files, data={"sidecar": "1"}), 400)["detail"]
    )


def test_refusals_speak_of_what_a_caller_can_do(make_client: Any, make_jpeg: Make, is_problem: Any) -> None:
    from photochrom.server.limits import Limits

    with make_client(Limits(decoders=1, pixels=1000)) as small:
        detail = is_problem(post(small, make_jpeg()), 422)["detail"]
    assert "make it smaller, or have the server started with a larger --max-pixels" in detail
