"""Runs an ASGI application until SIGTERM or SIGINT, then lets requests in flight finish."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from waybill_agent.log import fields, log

CANCEL_SECONDS = 2.0
"""For what was cancelled to end."""


class Server(uvicorn.Server):
    """uvicorn's, which ends with 0 after a signal, where uvicorn would raise the signal once more."""

    def __init__(
        self, config: uvicorn.Config, patience: float, on_start: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._patience = patience
        self._on_start = on_start
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Bound methods of this object: sse_starlette looks for them to learn that its streams should end.
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        log.info("stopping", **fields(signal=signal.Signals(sig).name, requests=len(self.server_state.tasks)))
        self._on_stop()
        # A tool that blocks its thread can't be cancelled, and one that blocks the event loop stops uvicorn too.
        deadline = threading.Timer(self._patience + CANCEL_SECONDS, give_up)
        deadline.daemon = True
        deadline.start()
        super().handle_exit(sig, frame)


@dataclass(frozen=True)
class Listener:
    host: str
    port: int
    access_log: bool
    shutdown_seconds: float
    """What requests in flight get to finish in after the signal; then they are cancelled."""


def serve(app: ASGIApp, listener: Listener, on_start: Callable[[], None], on_stop: Callable[[], None]) -> int:
    """
    Serves until a signal comes; gives the exit code: 0, or 1 when it could not start.

    :param on_start: called when connections are taken
    :param on_stop: called at the signal, before anything ends
    """
    logging.getLogger("uvicorn.access").setLevel("INFO" if listener.access_log else "CRITICAL")
    config = uvicorn.Config(
        app,
        host=listener.host,
        port=listener.port,
        access_log=listener.access_log,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=round(listener.shutdown_seconds),
        ws="none",
        http="h11",
        loop="asyncio",
    )
    try:
        Server(config, listener.shutdown_seconds, on_start, on_stop).run()
    except SystemExit:
        return 1
    log.info("stopped")
    return 0


def give_up() -> None:
    log.warning("stopped, and left behind what does not end")
    leave(0)


def leave(code: int) -> None:
    """Ends the process without waiting for threads: a tool that hangs must not hold up a pod's end."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
