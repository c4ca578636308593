"""ONNX graphs that others exported: recognized, fed in either order of normalization, refused with advice."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from photochrom import Colorizer
from photochrom.cli import run
from photochrom.errors import ModelError
from photochrom.models import find, load, store
from photochrom.training.importing import import_model

if TYPE_CHECKING:
    from pathlib import Path

MEAN = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1)
STD = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1)
LUMINANCE = np.tile(np.linspace(0, 100, 64, dtype=np.float32), (64, 1))[None, None]


class Net(nn.Module):
    """A network of one layer, as others export theirs: with or without normalizing and scaling inside."""

    def __init__(self, channels: int, inside: bool):
        super().__init__()
        torch.manual_seed(channels)
        self.layer = nn.Conv2d(channels, 2, 3, padding=1, padding_mode="zeros")
        self.channels, self.inside = channels, inside

    def forward(self, x: Tensor) -> Tensor:
        if self.channels == 3:
            return self.layer((x - MEAN) / STD if self.inside else x)  # type: ignore[no-any-return]
        answer = torch.tanh(self.layer((x - 50) / 100 if self.inside else x))
        return answer * 110 if self.inside else answer


def exported(network: Net, path: Path, side: int) -> Path:
    example = torch.zeros(1, network.channels, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (example,), str(path), dynamo=True, external_data=False, verbose=False
        )
    return path


def srgb(luminance: np.ndarray) -> Tensor:
    from photochrom.color import lab_to_rgb

    lab = np.stack([luminance[0, 0], *[np.zeros_like(luminance[0, 0])] * 2], -1)
    return torch.from_numpy(lab_to_rgb(lab).transpose(2, 0, 1)[None].copy())


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOCHROM_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("channels", "family"), [(1, "siggraph17"), (3, "ddcolor")])
def test_both_orders_of_normalization(channels: int, family: str, inside: bool, tmp_path: Path) -> None:
    network = Net(channels, inside)
    card = import_model(exported(network, tmp_path / "net.onnx", 64))
    assert (card.family, card.size.short, card.size.square) == (family, 64, True)
    truth = Net(channels, True)
    with torch.no_grad():
        given = torch.from_numpy(LUMINANCE) if channels == 1 else srgb(LUMINANCE)
        expected = truth(given).numpy()
    found = load("net", threads=1).run("ab", luminance=LUMINANCE)
    assert np.abs(found - expected).max() < 1e-2
    assert load("net", threads=1).run("ab", luminance=LUMINANCE[..., :37, :51]).shape == (1, 2, 37, 51)
    assert Colorizer("net").prepare(np.full((30, 40), 90, np.uint8)).render().rgb.shape == (30, 40, 3)


def test_a_card_says_how_an_unknown_graph_is_fed(tmp_path: Path) -> None:
    class Other(Net):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.layer(x))

    network = Other(1, False)
    card = tmp_path / "card.toml"
    card.write_text('input = "luminance"\nblack = [-1]\nwhite = [1]\nscale = 60\nlicence = "CC-BY-NC-4.0"\n')
    imported = import_model(exported(network, tmp_path / "net.onnx", 64), "mine", card)
    assert imported.noncommercial
    with torch.no_grad():
        expected = network(torch.from_numpy(LUMINANCE / 50 - 1)).numpy() * 60
    assert np.abs(load("mine", threads=1).run("ab", luminance=LUMINANCE) - expected).max() < 1e-2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('input = "luminance"\nblack = [0]\nwhite = [1]\ncolor = 3\n', "color is not known"),
        ('input = "cmyk"\nblack = [0]\nwhite = [1]\n', "must be one of luminance, rgb"),
        ('input = "luminance"\nblack = [0]\n', "white is missing"),
        ('input = "rgb"\nblack = [0, 0, 0]\nwhite = [1, 1, 1]\n', "they must agree"),
        ("input = ", "not a TOML file"),
    ],
)
def test_cards_that_make_no_sense(text: str, said: str, tmp_path: Path, models: Path) -> None:
    (tmp_path / "card.toml").write_text(text)
    graph = exported(Net(1, True), tmp_path / "net.onnx", 64)
    with pytest.raises(ModelError, match=said):
        import_model(graph, "mine", tmp_path / "card.toml")
    assert not models.exists()


def test_graphs_that_are_none(tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = exported(Net(1, True), tmp_path / "whole.onnx", 64).read_bytes()
    bad = {
        "page.onnx": (b"<html></html>", "is a web page"),
        "cut.onnx": (whole[: len(whole) // 2], "not a whole ONNX graph"),
        "empty.onnx": (b"", "not a whole ONNX graph"),
    }
    for name, (content, said) in bad.items():
        (tmp_path / name).write_bytes(content)
        assert run(["models", "import", str(tmp_path / name)]) == 1
        assert said in capsys.readouterr().err
    two = onnx.load(tmp_path / "whole.onnx")
    two.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5
    (tmp_path / "five.onnx").write_bytes(two.SerializeToString())
    with pytest.raises(ModelError, match=r"of no known family: give --card FILE\.toml"):
        import_model(tmp_path / "five.onnx")
    assert not models.exists()


def test_weights_beside_the_graph_are_taken_in(tmp_path: Path, models: Path) -> None:
    graph = onnx.load(exported(Net(1, True), tmp_path / "net.onnx", 64))
    import_model(tmp_path / "net.onnx", "one")
    onnx.save(graph, tmp_path / "net.onnx", save_as_external_data=True, location="data", size_threshold=0)
    import_model(tmp_path / "net.onnx", "two")
    one, two = (load(name, threads=1).run("ab", luminance=LUMINANCE) for name in ("one", "two"))
    np.testing.assert_array_equal(one, two)
    assert sorted(path.name for path in (models / "two").iterdir()) == ["model.json", "model.onnx"]
    for damage in (lambda path: path.write_bytes(path.read_bytes()[:9]), lambda path: path.unlink()):
        damage(tmp_path / "data")
        with pytest.raises(ModelError, match="not a whole ONNX graph"):
            import_model(tmp_path / "net.onnx", "three")
    assert not (models / "three").exists()


def test_damaged_graphs_never_crash(tmp_path: Path, models: Path) -> None:
    whole = exported(Net(3, True), tmp_path / "net.onnx", 64).read_bytes()
    random = np.random.default_rng(1)
    for _ in range(40):
        bad = bytearray(whole)
        for place in random.integers(0, len(bad), 3):
            bad[place] = random.integers(0, 256)
        (tmp_path / "bad.onnx").write_bytes(bytes(bad))
        with contextlib.suppress(ModelError):
            import_model(tmp_path / "bad.onnx")
            store.remove("bad")
    assert not any(models.glob("*"))


def test_a_graph_with_our_card_is_taken_as_it_is(tmp_path: Path) -> None:
    import shutil

    path, card = find("photochrom")
    for file in (path, path.with_suffix(".json")):
        shutil.copy(file, tmp_path / f"ours{file.suffix}")
    assert import_model(tmp_path / "ours.onnx", "copy").sha256 == card.sha256
    assert find("copy")[1].bins == card.bins
