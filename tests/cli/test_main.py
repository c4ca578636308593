"""The command line itself: quick to answer, one sentence an error, the right exit code."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

import photochrom
from photochrom import cli, errors

HEAVY = {"numpy", "cv2", "onnxruntime", "PIL", "pyvips", "torch", "fastapi", "tqdm", "scipy"}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_help_lists_every_verb_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from photochrom.cli import run; code = run(['--help']);"
        "print(code, sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = python(code)
    for verb, line in cli.VERBS.items():
        assert f"  {verb} " in done.stdout
        assert line in " ".join(done.stdout.split())
    code_, loaded = done.stderr.split(maxsplit=1)
    assert code_ == "0"
    assert not HEAVY & set(ast.literal_eval(loaded))


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_exists_and_helps(verb: str) -> None:
    module = Path(cli.__file__).parent / f"{verb}.py"
    assert module.is_file()
    done = python("import sys; from photochrom.cli import run; sys.exit(run(sys.argv[1:]))", verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: photochrom" in done.stdout


def test_colorize_loads_neither_torch_nor_the_web_framework(tmp_path: Path) -> None:
    code = (
        "import sys; from photochrom.cli import run; run(['colorize', sys.argv[1]]);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    (tmp_path / "a.jpg").write_bytes(b"")
    loaded = ast.literal_eval(python(code, str(tmp_path / "a.jpg")).stdout)
    assert "numpy" in loaded
    assert not {"torch", "fastapi", "starlette", "uvicorn", "ray"} & set(loaded)


def test_a_plain_start_is_quick() -> None:
    """`--help` within 150 ms of a bare `import click`, the best of a few tries each."""

    def best(code: str) -> float:
        times = []
        for _ in range(7):
            started = time.perf_counter()
            python(code)
            times.append(time.perf_counter() - started)
        return min(times)

    assert best("from photochrom.cli import run; run(['--help'])") - best("import click") < 0.150


@pytest.mark.skipif(sys.platform != "linux", reason="looks where ONNX Runtime keeps its device id on Linux")
def test_nothing_is_kept_about_the_user_and_nothing_reported(tmp_path: Path) -> None:
    """ONNX Runtime's wheels carry telemetry, which shows in ~/.cache/Microsoft as soon as it is active."""
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-m", "photochrom", "doctor"]
    subprocess.run(command, env={**environment, "HOME": str(tmp_path)}, check=True, capture_output=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"photochrom {photochrom.__version__}\n"


def test_python_dash_m() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "photochrom", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("photochrom ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonesuch"], "lists the verbs"),
        (["colourize"], "did you mean 'colorize'?"),
        (["wacth", "--help"], "did you mean 'watch'?"),
        (["colorize"], "IN"),
        (["colorize", "--nonesuch"], "nonesuch"),
        (["colorize", "a.jpg", "--vividness", "35"], "for 35 % say 0.35"),
        (["colorize", "a.jpg", "--vividness", "nan"], "at most 1.0"),
    ],
)
def test_usage_errors_end_with_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def verb_that_raises(error: BaseException) -> click.Command:
    def act() -> None:
        raise error

    return click.Command("act", callback=act)


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch):
    """Runs a verb that raises an error."""

    def act(error: BaseException) -> int:
        monkeypatch.setattr(cli._LazyGroup, "get_command", lambda *_: verb_that_raises(error))
        return cli.run(["act"])

    return act


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DamagedPhoto("cut short"), 1),
        (errors.OptionError("no"), 2),
        (errors.HintError("no"), 2),
        (errors.UnknownModel("none"), 4),
        (errors.MissingExtra("it", "serve"), 2),
        (PermissionError(13, "Permission denied", "x.jpg"), 1),
        (MemoryError(), 1),
    ],
)
def test_errors_are_one_line_with_their_exit_code(raising, error, code, capsys) -> None:
    assert raising(error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def test_an_interruption_ends_with_130(raising, capsys) -> None:
    assert raising(KeyboardInterrupt()) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_missing_optional_module_names_its_extra(raising, capsys) -> None:
    assert raising(ModuleNotFoundError("No module named 'fastapi'", name="fastapi.routing")) == 2
    assert "photochrom[serve]" in capsys.readouterr().err


def test_any_other_missing_module_is_a_bug_and_shown(raising) -> None:
    with pytest.raises(ModuleNotFoundError):
        raising(ModuleNotFoundError("No module named 'photochrom.typo'", name="photochrom.typo"))


def test_bugs_are_not_hidden(raising) -> None:
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_interrupt_a_run_and_leave_nothing_half_written(tmp_path: Path, photo, number: int) -> None:
    for n in range(60):
        photo(f"in/{n}.png", n, width=400, height=300)
    command = [sys.executable, "-m", "photochrom", "batch", str(tmp_path / "in"), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as batch:
        assert batch.stdout is not None
        batch.stdout.readline()  # the first picture is there
        os.kill(batch.pid, number)
        _, err = batch.communicate(timeout=30)
    assert batch.returncode == 130
    assert "interrupted" in err
    assert not list((tmp_path / "out").rglob("*.photochrom-part"))


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    done = subprocess.run(
        f"{sys.executable} -m photochrom --help | true",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
