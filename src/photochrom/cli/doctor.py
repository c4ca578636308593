"""photochrom doctor: is everything here that coloring needs, and does it work?"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import click

from photochrom.cli.options import PROVIDER
from photochrom.errors import PhotochromError

_PACKAGES = ("photochrom", "numpy", "opencv-python-headless", "onnxruntime", "pillow", "pyvips", "click")
_OPTIONAL = {"fastapi": "serve", "torch": "train", "pillow-heif": "heic", "imagecodecs": "tiff"}
_TOLERANCE = 0.5 * 100 / 255  # half an 8-bit step, in L*, rounded up a little below

Check = Callable[[], str]


@click.command()
@PROVIDER
@click.option("--model", default="photochrom", metavar="NAME|RUN|FILE.onnx", help="The model to test.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def command(context: click.Context, model: str, as_json: bool) -> None:
    """Show versions, processors and the model, and color a small test picture.

    The exit code is 0 if all is well. Put what it prints into a bug report.
    """
    checks: dict[str, Check] = {
        "system": _system,
        "packages": _packages,
        "extras": _extras,
        "providers": _providers,
        "model": lambda: _model(model),
        "models": _times,
        "self-test": lambda: _self_test(model),
    }
    results = {name: _run(check) for name, check in checks.items()}
    well = all(good for good, _ in results.values())
    if as_json:
        shown = {name: {"ok": good, "found": text} for name, (good, text) in results.items()}
        click.echo(json.dumps({"ok": well, **shown}))
    else:
        for name, (good, text) in results.items():
            click.echo(f"{'ok  ' if good else 'FAIL'} {name + ':':11}{text}")
    context.exit(0 if well else 1)


def _run(check: Check) -> tuple[bool, str]:
    """Whether a check passed, and what it found. A doctor reports what is broken, whatever it is."""
    try:
        return True, check()
    except PhotochromError as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 (a broken installation fails in ways that no list holds)
        return False, f"{type(error).__name__}: {error}"


def _system() -> str:
    from photochrom.photo.strips import processors

    where = f"{platform.platform()}, {processors()} processors"
    return f"Python {platform.python_version()} ({sys.executable}) on {where}"


def _packages() -> str:
    return ", ".join(f"{name} {version(name)}" for name in _PACKAGES)


def _extras() -> str:
    found = []
    for package, extra in _OPTIONAL.items():
        try:
            found.append(f"{extra}: {package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{extra}: not installed")
    return ", ".join(found)


def _providers() -> str:
    from photochrom.models.session import available_providers, load

    return ", ".join(available_providers()) + f" (used: {', '.join(load().providers)})"


def _times() -> str:
    """How long each model takes for the colors of one photo, the second time."""
    import numpy as np

    from photochrom.colorizer import Colorizer
    from photochrom.errors import ModelError
    from photochrom.models import catalogue

    found, broken = [], []
    for name in catalogue():
        try:
            colorizer = Colorizer(name)
            for _ in range(2):
                plate = colorizer.prepare(np.full((480, 640), 120, np.uint8))
                started = time.monotonic()
                plate.answer()
        except PhotochromError as error:
            broken.append(f"{name}: {error}")
            continue
        rows, columns = plate.size
        found.append(f"{name} {time.monotonic() - started:.2f} s at {columns}×{rows}")
    if broken:
        raise ModelError("; ".join([*broken, *found]))
    return ", ".join(found)


def _model(name: str) -> str:
    from photochrom.errors import ModelError
    from photochrom.models import find, members
    from photochrom.provenance import file_sha256

    if parts := members(name):
        return "; ".join(_model(part) for _, part in parts)
    path, card = find(name)
    actual = file_sha256(path)
    if actual != card.sha256:
        raise ModelError(
            f"{path} has sha256 {actual[:12]}…, its card says {card.sha256[:12]}…: install photochrom again"
        )
    return f"{card.name}, {card.terms}, sha256 {actual} as its card says"


def _self_test(name: str) -> str:
    """Color a ramp with a blue hint; luminance must stay and the hint must be obeyed."""
    import numpy as np

    from photochrom.color import luminance, rgb_to_lab
    from photochrom.colorizer import Colorizer
    from photochrom.errors import ModelError
    from photochrom.hints import Hint

    started = time.monotonic()
    grey = np.tile(np.linspace(40, 215, 192).astype(np.uint8), (128, 1))
    colorizer = Colorizer(name)
    hints = [Hint(0.5, 0.5, "#4060c0", radius=0.03)] if colorizer.model.supports_hints else []
    rgb = colorizer.prepare(grey).render(hints).rgb
    lab = rgb_to_lab(rgb)
    worst = float(np.abs(lab[..., 0] - luminance(grey)).max())
    if rgb.shape != (128, 192, 3) or worst > _TOLERANCE:
        raise ModelError(f"the test picture's luminance moved by {worst:.2f}: install photochrom again")
    if hints and lab[64, 96, 2] > -15:
        raise ModelError(f"a blue hint gave b* {lab[64, 96, 2]:.0f}: the model or ONNX Runtime is broken")
    return f"192×128 colored in {time.monotonic() - started:.2f} s, luminance kept to {worst:.2f} L*"
