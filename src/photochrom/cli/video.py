"""photochrom video: films."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from photochrom.cli.options import JSON
from photochrom.errors import OptionError
from photochrom.video import colorize, export_keyframes, read_hints, read_pictures
from photochrom.video.encoding import CODECS

if TYPE_CHECKING:
    from photochrom.video import Progress, Report


@click.command()
@click.argument("film", metavar="IN", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="The film to write: .mp4, .mkv or .mov.",
)
@click.option(
    "--model", default="photochrom", show_default=True, metavar="NAME|RUN|FILE.onnx", help="The model."
)
@click.option("--vividness", type=click.FloatRange(0, 1), metavar="0..1", help="From safe and pale to bold.")
@click.option("--palette", metavar="'#…,#…'|PICTURE", help="Keep to these colors, or to a picture's.")
@click.option(
    "--hints",
    metavar="F.json",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Colors at places, each from its `time` to the end of the scene; without one, from the time in the "
    "file's name. Can be given again.",
)
@click.option(
    "--keyframes",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a frame of each scene there, to be colored by hand, and no film.",
)
@click.option(
    "--colored",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Go by the colored key frames in this folder.",
)
@click.option(
    "--codec", type=click.Choice(tuple(CODECS)), default="h264", show_default=True, help="Of the pictures."
)
@click.option(
    "--crf", type=click.IntRange(0, 63), metavar="N", help="Quality: less is better; by codec by default."
)
@click.option("--preset", metavar="NAME", help="The encoder's preset: slower makes smaller files.")
@click.option(
    "--from", "start", type=click.FloatRange(0), metavar="SECONDS", help="Begin there, for a trial."
)
@click.option("--to", "end", type=click.FloatRange(0), metavar="SECONDS", help="End there.")
@click.option("--side-by-side", is_flag=True, help="The original beside the colored film.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run of the same command stopped.")
@click.option(
    "--if-exists",
    type=click.Choice(("error", "overwrite")),
    default="error",
    show_default=True,
    help="What to do about an output that is there already; the film itself is never replaced.",
)
@JSON
def command(
    film: Path,
    output: Path | None,
    keyframes: Path | None,
    colored: Path | None,
    hints: tuple[Path, ...],
    palette: str | None,
    if_exists: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Color a film in steady colors. Its luminance, sound, subtitles and time stamps stay as they are.

    IN is any film that FFmpeg reads. The path of the result is printed.
    """
    if keyframes is not None:
        spans = {name: options[name] for name in ("model", "start", "end")}
        for path in export_keyframes(film, keyframes, **spans):
            click.echo(json.dumps({"input": str(film), "keyframe": str(path)}) if as_json else path)
        return
    if output is None:
        raise OptionError("say where the colored film goes: -o OUT.mp4")
    options |= {"hints": read_hints(*hints), "palette": palette or ()}
    options["pictures"] = tuple(read_pictures(colored)) if colored else ()
    with _Meter(as_json) as meter:
        report = colorize(film, output, overwrite=if_exists == "overwrite", progress=meter, **options)
    _tell(film, output, report, as_json=as_json)


class _Meter:
    """Progress as a bar on a terminal, or as JSON lines."""

    def __init__(self, as_json: bool):
        self._json, self._shown = as_json, time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> _Meter:
        return self

    def __call__(self, progress: Progress) -> None:
        if self._json:
            if time.monotonic() - self._shown < 1:
                return
            self._shown = time.monotonic()
            found = {"frames": progress.frames, "total": progress.total, "fps": round(progress.rate, 2)}
            click.echo(json.dumps({"status": "running", **found, "left": progress.left}))
        elif sys.stderr.isatty():
            self._advance(progress)

    def _advance(self, progress: Progress) -> None:
        if self._bar is None:
            from tqdm import tqdm

            total = progress.total or None
            self._bar = tqdm(total=total, initial=progress.resumed, unit=" frames", file=sys.stderr)
        self._bar.update(progress.frames - self._bar.n)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _tell(film: Path, output: Path, report: Report, *, as_json: bool) -> None:
    warnings = list(report.warnings)
    if report.damage:
        places = ", ".join(f"{seconds:.2f}" for seconds in report.damage[:20])
        warnings.append(f"the film is damaged at {places} seconds; it goes on after that")
    for warning in warnings:
        click.echo(f"warning: {film}: {warning}", err=True)
    if not as_json:
        click.echo(output)
        return
    found = {"input": str(film), "output": str(output), "status": "done", "error": None}
    more = {"frames": report.frames, "scenes": report.scenes, "damage": report.damage, "warnings": warnings}
    click.echo(json.dumps({**found, "model": report.model, "seconds": round(report.seconds, 2), **more}))
