"""`photochrom serve`: the web studio and the REST server."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from photochrom.cli.options import PROVIDER

if TYPE_CHECKING:
    from photochrom.server.access import Access
    from photochrom.server.limits import Limits

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
MIB = 1 << 20
_ABOVE_ZERO = click.IntRange(1)


@click.command()
@PROVIDER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open the studio in a browser.")
@click.option("--model", default=None, metavar="NAME|RUN|FILE.onnx", help="The model to color with.")
@click.option(
    "--token",
    envvar="PHOTOCHROM_TOKEN",
    default=None,
    help="The bearer token; made up where none is given and the host is not loopback.",
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further host name to answer to.")
@click.option(
    "--public-url", default=None, metavar="ADDRESS", help="The address of a proxy in front of this server."
)
@click.option(
    "--max-body", default=None, type=_ABOVE_ZERO, help="MiB of an upload: 1024 on this computer, else 64."
)
@click.option(
    "--max-pixels",
    default=None,
    type=_ABOVE_ZERO,
    help="Pixels of a photo: 250 million on this computer, else 50 million.",
)
@click.option(
    "--max-hints",
    default=5000,
    show_default=True,
    type=click.IntRange(0, 5000),
    help="Most hints in a request.",
)
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds for a request, and for which an upload may stall.",
)
@click.option(
    "--memory", default=None, type=click.IntRange(64), help="MiB for photos that are kept or being worked on."
)
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
    public_url: str | None,
    **bounds: Any,
) -> None:
    """Open the studio: color photographs in the browser, and over REST.

    It answers on this computer alone; on any other address every request needs the token that is printed.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its spinning threads cost small products dearly
    from photochrom.server.app import create_app
    from photochrom.server.running import listen, serve

    access = access_to(host, token, allow_host, public_url)
    app = create_app(
        _limits(is_open=not _is_loopback(host) or public_url is not None, **bounds), access, _colorizer(model)
    )
    listener = listen(host, port)
    url = address(host, listener.getsockname()[1], access)
    click.echo(url)
    click.echo("Photochrom studio is open at the address above; Ctrl-C closes it.", err=True)
    serve(app, listener, None if no_browser else url)


def _limits(
    max_body: int | None,
    max_pixels: int | None,
    max_hints: int,
    timeout: float,
    memory: int | None,
    expiry: float,
    *,
    is_open: bool,
) -> Limits:
    """The limits of a server; where nobody but this computer can reach it, those of the command."""
    from photochrom.photo import MAX_PIXELS
    from photochrom.server.limits import Limits

    body, pixels = (64, 50_000_000) if is_open else (1024, MAX_PIXELS)
    limits = Limits(
        body=(max_body or body) * MIB,
        pixels=max_pixels or pixels,
        hints=max_hints,
        seconds=timeout,
        expiry=expiry * 60,
    )
    return limits if memory is None else replace(limits, memory=memory * MIB)


def access_to(
    host: str, token: str | None, allowed: tuple[str, ...], public_url: str | None = None
) -> Access:
    """Loopback: its names only, no token needed. Elsewhere: a token, and any name unless some are given.

    A server with a public address is open to others wherever it listens, so it needs a token too.
    """
    from photochrom.server.access import LOOPBACK, Access

    names = frozenset(name.lower() for name in allowed)
    if not _is_loopback(host) or public_url is not None:
        token = token or secrets.token_urlsafe(24)
    if _is_loopback(host):
        return Access(LOOPBACK | {host.lower()} | names, token, public_url)
    return Access(names | LOOPBACK if names else None, token, public_url)


def _is_loopback(host: str) -> bool:
    """Whether an address is this computer's own."""
    if host.lower() in _LOOPBACK_NAMES:
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


def address(host: str, port: int, access: Access) -> str:
    """Where the studio is found; the token, where there is one, signs the browser in."""
    query = f"?token={access.token}" if access.token else ""
    if access.public_url is not None:
        return access.public_url.rstrip("/") + "/" + query
    name = f"[{host}]" if ":" in host else host
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        name = "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"http://{name}:{port}/{query}"
