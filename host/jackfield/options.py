"""What the host is told at its start, whoever starts it: the command line, the ASGI factory or a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jackfield.manifests.configuration import Configuration

__all__ = ["HostOptions"]

_MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """Options of one host. The names are those of the command line's options.

    Attributes:
        folders: where manifests lie, in order of precedence.
        app_id: the app's name, for scopes and template tags.
        namespace: the host's namespace; empty takes manifests of all namespaces.
        alpha1: ``documented`` follows the API's reference document, ``daprd`` the program.
        api_token: what requests must carry in ``dapr-api-token``; empty asks for nothing.
        allowed_origins: web origins whose pages may call; ``*`` allows all.
        allowed_hosts: further names that requests may call this host by; ``*`` allows all.
        max_body_size: the largest request body, in bytes.
        body_timeout: the longest silence while a body arrives, in seconds.
        heartbeat: the longest silence within a streamed reply, in seconds; then a comment is sent.
        graceful_shutdown_seconds: how long running replies may take after a stop.
        worker_timeout: after how many seconds one of several workers whose event loop stands still is killed and
            replaced; 0 for never.
        reload: follow changes of the folders while serving.
        watch_events: use kernel events; without them changes are found by a look once a second.
        api_logging: log a line per request.
        strict: end at start if a component that doesn't have ``ignoreErrors`` fails.
        configuration: what the files of ``--config`` allow and deny.
        plugins: the only plugins to load; None loads all that are installed.
        deny_plugins: plugins not to load.
        prefer: which plugin provides a component type that several register.
        wrap_order: plugins whose wrap stages come first, in this order.
        warm: start the default scrubber with the host rather than with the first request that needs it.
        service_options: those of daprd's options that are for services of plugins, as far as they are given.
        environment: the process's environment as components may see it.
    """

    folders: tuple[Path, ...] = (Path("manifests"),)
    app_id: str = ""
    namespace: str = ""
    alpha1: Literal["documented", "daprd"] = "documented"
    api_token: str = field(default="", repr=False)
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    max_body_size: int = 4 * _MEBIBYTE
    body_timeout: float = 10.0
    heartbeat: float = 15.0
    graceful_shutdown_seconds: float = 5.0
    worker_timeout: float = 30.0
    reload: bool = True
    watch_events: bool = True
    api_logging: bool = False
    strict: bool = False
    configuration: Configuration = field(default_factory=Configuration)
    plugins: tuple[str, ...] | None = None
    deny_plugins: tuple[str, ...] = ()
    prefer: Mapping[str, str] = field(default_factory=dict)
    wrap_order: tuple[str, ...] = ()
    warm: bool = False
    service_options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
