"""Listening and serving: the only place that knows uvicorn."""

from __future__ import annotations

import os
import socket
import webbrowser
from typing import TYPE_CHECKING

import uvicorn

from photochrom.errors import OptionError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OptionError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # on Windows it would share the port with another server
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OptionError(
            f"cannot listen on {host}, port {port} ({error.strerror or error}): choose another --port"
        ) from None
    return listener


def serve(app: ASGIApp, listener: socket.socket, opened: str | None = None) -> None:
    """Serve until interrupted; the address `opened` is shown in a browser once the server answers."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if opened and self.started:
                webbrowser.open(opened)

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30
    )
    Server(config).run(sockets=[listener])
