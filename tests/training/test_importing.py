"""Other people's models: known by layout, loaded strictly, converted with parity, nothing left over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests.training.published_layouts import LAYOUTS, random_weights
from torch import nn
from torch.nn import functional

from photochrom import Colorizer, Hint
from photochrom.cli import run
from photochrom.errors import CheckpointError, OptionError, UnknownModel, UnsupportedReading
from photochrom.models import catalogue, find, load, store
from photochrom.training.importing import import_model
from photochrom.training.networks import ddcolor
from photochrom.training.published import FAMILIES, load_published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = ((256, 256), (201, 173), (512, 512))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOCHROM_MODELS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def checkpoint(name: str, files: Path) -> Path:
    """Random weights of a published layout, as its authors save them."""
    path = files / f"{name}.pth"
    if not path.exists():
        weights = random_weights(LAYOUTS[name]())
        torch.save({"params": weights} if "ddcolor" in name else weights, path)
    return path


def ready(name: str, files: Path) -> Path:
    """The file of the imported model, imported at first need."""
    if name not in catalogue():
        import_model(checkpoint(name, files))
    return catalogue()[name]


def inputs_of(name: str, height: int, width: int, hints: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(height)
    coarse = torch.from_numpy(random.uniform(0, 100, (1, 1, 12, 12)).astype(np.float32))
    inputs = {"luminance": functional.interpolate(coarse, (height, width), mode="bilinear").numpy()}
    if name == "siggraph17":
        drawn = np.zeros((1, 3, height, width), np.float32)
        for _ in range(hints):
            y, x = random.integers(0, height - 6), random.integers(0, width - 6)
            drawn[0, :, y : y + 6, x : x + 6] = np.array([*random.uniform(-0.6, 0.6, 2), 1])[:, None, None]
        inputs["hints"] = drawn
    return inputs


def padded(plane: np.ndarray, multiple: int) -> torch.Tensor:
    height, width = plane.shape[2:]
    return functional.pad(
        torch.from_numpy(plane), (0, -width % multiple, 0, -height % multiple), mode="replicate"
    )


def compare(name: str, files: Path, sizes: tuple[tuple[int, int], ...]) -> None:
    session = load(ready(name, files), threads=1)
    network, family = load_published(checkpoint(name, files))
    assert family.name == name
    for height, width in sizes:
        for hints in (0, 1, 20) if name == "siggraph17" else (0,):
            inputs = inputs_of(name, height, width, hints)
            with torch.no_grad():
                ours = network(*(padded(plane, network.multiple) for plane in inputs.values()))
            found = session.run("ab", **inputs)
            assert found.shape == (1, 2, height, width)
            expected = ours[:, :, :height, :width].numpy()
            assert expected.std() > 0.1  # there is something to compare
            assert np.abs(found - expected).max() < 1e-2


def test_the_graph_says_what_torch_says_on_small_pictures(models: Path, files: Path) -> None:
    compare("siggraph17", files, ((64, 96), (61, 45)))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", LAYOUTS)
def test_the_graph_says_what_torch_says(name: str, models: Path, files: Path) -> None:
    compare(name, files, SIZES)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_networks_have_the_published_names_and_shapes(name: str) -> None:
    family = next(family for family in FAMILIES if family.name == name)
    with torch.device("meta"):
        ours = {key: tuple(value.shape) for key, value in family.build().state_dict().items()}
    assert {key: shape for key, shape in ours.items() if "num_batches" not in key} == LAYOUTS[name]()


def test_siggraph17_takes_hints_and_colors_a_photo(models: Path, files: Path) -> None:
    ready("siggraph17", files)
    card = find("siggraph17")[1]
    assert (card.family, card.licence, card.supports_hints, card.head) == (
        "siggraph17",
        "BSD-2-Clause",
        True,
        "ab",
    )
    plate = Colorizer("siggraph17", threads=1).prepare(np.tile(np.arange(200, dtype=np.uint8), (150, 1)))
    assert plate.size == (256, 256)
    free, hinted = plate.chroma(), plate.chroma([Hint(0.5, 0.5, "#c03020", radius=0.1)])
    assert free.shape == hinted.shape == (256, 256, 2)
    assert hinted[128, 128, 0] > 20
    assert plate.render([Hint(0.5, 0.5, "#c03020")]).rgb.shape == (150, 200, 3)
    with pytest.raises(UnsupportedReading, match="siggraph17"):
        plate.uncertainty()


def test_eccv16_carries_hints_without_taking_them(models: Path, files: Path) -> None:
    ready("eccv16", files)
    plate = Colorizer("eccv16", threads=1).prepare(np.tile(np.arange(200, dtype=np.uint8), (150, 1)))
    assert plate.card.supports_hints is False
    change = plate.chroma([Hint(0.5, 0.5, "#c03020", radius=0.1)], 0.5) - plate.chroma((), 0.5)
    assert change[128, 128, 0] > 10
    assert np.abs(plate.chroma((), 0.9)).mean() > np.abs(plate.chroma((), 0.1)).mean()


def test_the_command_line_imports_lists_shows_colors_and_removes(
    models: Path, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "eccv16" in catalogue():
        store.remove("eccv16")
    importing = ["models", "import", str(checkpoint("eccv16", files))]
    assert run([*importing, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["name"], document["family"]) == ("eccv16", "eccv16")
    assert document["file"] == str(models / "eccv16/model.onnx")
    assert run(["models", "list"]) == 0
    assert "eccv16\n" in capsys.readouterr().out
    assert run(["models", "show", "eccv16"]) == 0
    assert "BSD-2-Clause" in capsys.readouterr().out
    assert run(importing) == 2
    assert "there is a model eccv16 already" in capsys.readouterr().err

    photo = tmp_path / "photo.png"
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (60, 1))).save(photo)
    out = tmp_path / "out.png"
    assert run(["colorize", str(photo), "--model", "eccv16", "-o", str(out), "--sidecar", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "eccv16"
    assert run(["models", "remove", "eccv16"]) == 0
    assert not (models / "eccv16").exists()
    out.unlink()
    assert run(["redo", str(next(tmp_path.glob("*.json")))]) == 4
    assert "eccv16" in capsys.readouterr().err
    assert run(["models", "remove", "photochrom"]) == 4


# --- what is refused, and leaves nothing -------------------------------------------------------


class Bomb:
    """A pickle that would run code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("boom",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("model3.0.bias"), "model3.0.bias is missing"),
        (lambda w: w.update(surplus=torch.zeros(1)), "surplus is unknown"),
        (lambda w: w.update({"model3.0.bias": torch.zeros(7)}), "model3.0.bias has another shape"),
        (lambda w: w.update({"model3.0.bias": torch.full((256,), torch.nan)}), "model3.0.bias holds NaN"),
        (lambda w: [w.pop(key) for key in list(w) if key != "model1.0.bias"], "another network than"),
    ],
)
def test_weights_that_do_not_fit(
    change: object, said: str, models: Path, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = torch.load(checkpoint("siggraph17", files), weights_only=True)
    change(weights)  # type: ignore[operator]
    torch.save(weights, tmp_path / "bad.pth")
    before = sorted(models.iterdir())
    assert run(["models", "import", str(tmp_path / "bad.pth")]) == 1
    assert said in capsys.readouterr().err
    assert sorted(models.iterdir()) == before


def test_files_that_are_no_weights(models: Path, files: Path, tmp_path: Path) -> None:
    whole = checkpoint("siggraph17", files).read_bytes()
    bad = {
        "page.pth": (b"<!DOCTYPE html><html>404</html>", "is a web page"),
        "cut.pth": (whole[: len(whole) // 2], "not a whole checkpoint"),
        "empty.pth": (b"", "not a whole checkpoint"),
        "noise.safetensors": (b"\x07" * 1000, "not a whole checkpoint"),
    }
    before = sorted(models.iterdir())
    for name, (content, said) in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=said):
            import_model(tmp_path / name)
    torch.save({"model8up.0.weight": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(CheckpointError, match="could run code"):
        import_model(tmp_path / "bomb.pth")
    old_format = {"model8up.0.weight": torch.zeros(4)}
    torch.save(old_format, tmp_path / "odd.pth", _use_new_zipfile_serialization=False)
    odd = (tmp_path / "odd.pth").read_bytes()
    for place in range(60, 200, 7):  # torch answers with errors of many classes
        (tmp_path / "odd.pth").write_bytes(odd[:place] + b"\xff" + odd[place + 1 :])
        with pytest.raises(CheckpointError):
            import_model(tmp_path / "odd.pth")
    with pytest.raises(OptionError, match="no file"):
        import_model(tmp_path / "gone.pth")
    assert sorted(models.iterdir()) == before


def test_the_large_encoder_in_the_tiny_ones_names(tmp_path: Path) -> None:
    tiny, large = LAYOUTS["ddcolor-tiny"](), LAYOUTS["ddcolor"]()
    mixed = {key: torch.zeros(large[key] if "stages.3" in key else shape) for key, shape in tiny.items()}
    save_file(mixed, tmp_path / "mixed.safetensors")
    with pytest.raises(CheckpointError, match=r"not a whole ddcolor-tiny: .*stages\.3.* has another shape"):
        load_published(tmp_path / "mixed.safetensors")


@pytest.mark.parametrize("wrap", [lambda w: {"state_dict": w}, lambda w: {"model": w, "opt": {}}, dict])
def test_wrappers_and_prefixes_are_taken_off(wrap: object, files: Path, tmp_path: Path) -> None:
    weights = torch.load(checkpoint("eccv16", files), weights_only=True)
    prefixed = {f"module.{key}": value for key, value in weights.items()}
    torch.save(wrap(prefixed), tmp_path / "wrapped.pth")  # type: ignore[operator]
    assert torch.equal(
        load_published(tmp_path / "wrapped.pth")[0].model_out.weight, weights["model_out.weight"]
    )


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a.onnx", "a+b", "x" * 65])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(OptionError, match="cannot be a model's name"):
        store.check_name(name)


def test_a_folder_that_failed_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_MODELS", str(tmp_path / "new"))

    def interrupted() -> None:
        with store.adding("x") as folder:
            (folder / "model.onnx").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not (tmp_path / "new").exists()
    with pytest.raises(UnknownModel, match="no imported model 'x'"):
        store.remove("x")


# --- parts against torch's own -----------------------------------------------------------------


def test_attention_is_torchs() -> None:
    ours, theirs = ddcolor._Attention(), nn.MultiheadAttention(256, 8, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    query, key, value = (torch.randn(1, n, 256) for n in (10, 33, 33))
    torch.testing.assert_close(ours(query, key, value), theirs(query, key, value)[0], atol=1e-5, rtol=1e-4)


def test_spectral_convolution_divides_by_the_largest_singular_value() -> None:
    ours = ddcolor._SpectralConv(6, 5, 3)
    left, values, right = torch.linalg.svd(ours.weight_orig.detach().flatten(1), full_matrices=False)
    ours.weight_u.copy_(left[:, 0])
    ours.weight_v.copy_(right[0])
    x = torch.randn(1, 6, 8, 9)
    expected = functional.conv2d(x, ours.weight_orig / values[0], ours.bias, padding=1)
    torch.testing.assert_close(ours(x), expected)
