"""A factory for other ASGI servers: ``uvicorn --factory jackfield.asgi:create_app``."""

from __future__ import annotations

import os
import signal

from starlette.types import ASGIApp

from jackfield.host import Host
from jackfield.http.app import build_app
from jackfield.options import HostOptions
from jackfield.serving.worker import exit_soon

__all__ = ["create_app"]


def create_app(options: HostOptions | None = None) -> ASGIApp:
    """Make an application whose lifespan starts and closes a host.

    Args:
        options: the host's options; by default they are read from the ``JACKFIELD_*`` and ``DAPR_API_TOKEN``
            variables, as ``jackfield serve`` does.

    Raises:
        ConfigurationError: an option is wrong.
    """
    if options is None:
        from jackfield.cli.serve import options_from_environment

        options = options_from_environment()
    return build_app(Host(options, stop=_stop_process))


def _stop_process(force: bool) -> None:
    if force:
        exit_soon()
    else:
        os.kill(os.getpid(), signal.SIGTERM)
