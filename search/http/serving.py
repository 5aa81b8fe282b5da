"""Runs the HTTP application on a socket until it is told to stop."""

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from index.errors import SettingsError
from search.http.connections import connection_factory

# Long enough for a large batch of articles to be committed.
GRACE_S = 60


def settle() -> None:
    """Have what is there now, which stays, no part in the search for garbage.

    To look through all of it, 130,000 objects, takes a tenth of a second, in which every thread
    waits. To be called when all is loaded.
    """
    gc.collect()
    gc.freeze()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0: any free one).

    Raises:
        SettingsError: the address is taken or is none of this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        server = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}, port {port}: {error.strerror}; choose others with --host "
            "and --port"
        ) from None
    # Connections inherit it; otherwise each answer's body waits 40 ms for the client's ACK of its
    # head, since asyncio turns Nagle's algorithm off only where a socket names its protocol.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def url_of(server: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = server.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def run(app: FastAPI, listening: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that are under way are finished first.

    `announce` is called when whoever reads it may stop the server.
    """
    _log_to_stderr()
    config = uvicorn.Config(
        app,
        http=connection_factory(app.state.metrics),
        ws="none",
        log_config=None,
        lifespan="off",
        loop="uvloop",
        server_header=False,
        access_log=False,  # its lines have what was asked in them; see `request_log`
        # Who a request is from decides whether it may write: we look at the headers ourselves.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)

    stopped_by: list[signal.Signals] = []

    # For a signal that comes before uvicorn looks for it; and when it has stopped, uvicorn raises
    # the one that stopped it once more. Nothing is logged here: it may come amid another line.
    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True
        stopped_by.append(signal.Signals(number))

    before = {number: signal.signal(number, stop) for number in _STOP_SIGNALS}
    try:
        announce()
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for stopping in stopped_by:
        logging.getLogger(__name__).info("stopped signal=%s", stopping.name)


_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
