"""`photochrom serve`: the web studio and the REST server."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from photochrom.server.gate import Access
    from photochrom.server.limits import Limits

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
MIB = 1 << 20
_ABOVE_ZERO = click.IntRange(1)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open the studio in a browser.")
@click.option("--model", default=None, metavar="NAME|RUN|FILE.onnx", help="The model to colour with.")
@click.option(
    "--token",
    envvar="PHOTOCHROM_TOKEN",
    default=None,
    help="The bearer token; made up where none is given and the host is not loopback.",
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further host name to answer to.")
@click.option("--max-body", default=64, show_default=True, type=_ABOVE_ZERO, help="MiB of an upload.")
@click.option(
    "--max-pixels", default=50_000_000, show_default=True, type=click.IntRange(1), help="Pixels of a photo."
)
@click.option(
    "--max-hints", default=5000, show_default=True, type=click.IntRange(0, 5000), help="Hints a request."
)
@click.option(
    "--timeout", default=30.0, show_default=True, type=click.FloatRange(1), help="Seconds a request."
)
@click.option("--memory", default=None, type=click.IntRange(64), help="MiB for photos kept and under way.")
@click.option(
    "--expiry", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Minutes a photo is kept."
)
def command(
    host: str,
    port: int,
    no_browser: bool,
    model: str | None,
    token: str | None,
    allow_host: tuple[str, ...],
    **bounds: Any,
) -> None:
    """Open the studio: colour photographs in the browser, and over REST.

    It answers on this computer alone; on any other address every request needs the token that is printed.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its spinning threads cost small products dearly
    from photochrom.server.app import create_app
    from photochrom.server.running import listen, serve

    access = access_to(host, token, allow_host)
    app = create_app(_limits(**bounds), access, _colorizer(model))
    listener = listen(host, port)
    url = address(host, listener.getsockname()[1], access.token)
    click.echo(url)
    click.echo("Photochrom studio is open at the address above; Ctrl-C closes it.", err=True)
    serve(app, listener, None if no_browser else url)


def _limits(
    max_body: int, max_pixels: int, max_hints: int, timeout: float, memory: int | None, expiry: float
) -> Limits:
    from photochrom.server.limits import Limits

    limits = Limits(
        body=max_body * MIB, pixels=max_pixels, hints=max_hints, seconds=timeout, expiry=expiry * 60
    )
    return limits if memory is None else replace(limits, memory=memory * MIB)


def access_to(host: str, token: str | None, allowed: tuple[str, ...]) -> Access:
    """Loopback: its names only, no token needed. Elsewhere: a token, and any name unless some are given."""
    from photochrom.server.app import LOOPBACK
    from photochrom.server.gate import Access

    names = frozenset(name.lower() for name in allowed)
    if is_loopback(host):
        return Access(LOOPBACK | {host.lower()} | names, token)
    return Access(names | LOOPBACK if names else None, token or secrets.token_urlsafe(24))


def is_loopback(host: str) -> bool:
    """Whether an address is this computer's own."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _colorizer(model: str | None) -> Any:
    """A function that loads the model; None for the default one."""
    if model is None:
        return None
    from photochrom.colorizer import Colorizer

    loaded = Colorizer(model)  # an unknown model is told at once, not once the server runs
    return lambda: loaded


def address(host: str, port: int, token: str | None) -> str:
    name = f"[{host}]" if ":" in host else host
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        name = "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
