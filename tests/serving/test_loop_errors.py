"""What the event loop tells of by itself: faults are logged, connections that end are not."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing

import pytest

from jackfield.serving.worker import log_loop_error

CLOSED = "unable to perform operation on <TCPTransport closed=True reading=False 0x1>; the handler is closed"


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), False),
        (TimeoutError(), False),
        (ssl.SSLError("handshake failure"), False),
        (RuntimeError(CLOSED), False),
        (RuntimeError("another one"), True),
        (None, True),
    ],
)
def test_faults_alone_are_logged(error: Exception | None, caplog: pytest.LogCaptureFixture, *, logged: bool) -> None:
    """A peer that is gone, however the loop puts it, is no error of the host; all else is."""
    with closing(asyncio.new_event_loop()) as loop:
        log_loop_error(loop, {"message": "Fatal error on SSL protocol", "exception": error})
    assert bool(caplog.records) is logged
