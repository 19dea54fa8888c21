"""daprd's own option spellings, so that a script that starts daprd starts this (contract sheet, sections 1 to 8)."""

from __future__ import annotations

import re

__all__ = ["IGNORED_FLAGS", "IGNORED_OPTIONS", "SERVICE_OPTIONS", "go_flags"]

SERVICE_OPTIONS = ("dapr-grpc-port", "metrics-port", "metrics-listen-address", "enable-metrics")
"""Options of what plugins bring with ``run_service``; without the plugin they have no effect."""

IGNORED_OPTIONS = (
    "app-channel-address",
    "app-health-check-path",
    "app-health-probe-interval",
    "app-health-probe-timeout",
    "app-health-threshold",
    "app-max-concurrency",
    "app-port",
    "app-protocol",
    "actors-service",
    "control-plane-address",
    "control-plane-namespace",
    "control-plane-trust-domain",
    "dapr-block-shutdown-duration",
    "dapr-http-read-buffer-size",
    "dapr-internal-grpc-listen-address",
    "dapr-internal-grpc-port",
    "dapr-public-listen-address",
    "dapr-public-port",
    "disable-init-endpoints",
    "hot-reload-reconcile-interval",
    "internal-grpc-port",
    "kubeconfig",
    "log-file",
    "mode",
    "placement-host-address",
    "profile-port",
    "read-buffer-size",
    "reminders-service",
    "scheduler-host-address",
    "sentry-address",
    "sentry-request-jwt-audiences",
    "trust-anchors-file",
)
"""Options of daprd with a value that have no meaning here."""

IGNORED_FLAGS = (
    "app-ssl",
    "disable-builtin-k8s-secret-store",
    "enable-app-health-check",
    "enable-mtls",
    "enable-profiling",
    "wait",
)
"""Switches of daprd that have no meaning here."""

_SWITCHES = frozenset({*IGNORED_FLAGS, "enable-api-logging", "log-as-json"})
_BOOLEANS = frozenset({"enable-metrics"})
_SINGLE_DASH = re.compile(r"-[a-z][a-z0-9]*(-[a-z0-9]+)+(=.*)?", re.DOTALL)


def go_flags(args: list[str]) -> list[str]:
    """Rewrite Go's way of writing options into ours.

    ``-app-id x`` becomes ``--app-id x``, and a switch, which in Go may have ``=true`` or ``=false`` and never takes the
    next argument, becomes itself or nothing; one that is on by default keeps its value.
    """
    rewritten: list[str] = []
    for position, arg in enumerate(args):
        if arg == "--":
            return rewritten + args[position:]
        option = "-" + arg if _SINGLE_DASH.fullmatch(arg) else arg
        name, equals, value = option.removeprefix("--").partition("=")
        if option.startswith("--") and name in _BOOLEANS:
            rewritten.append(f"--{name}={value.strip() or 'true'}")
        elif option.startswith("--") and equals and name in _SWITCHES:
            if value.strip().lower() in {"1", "t", "true"}:
                rewritten.append("--" + name)
        else:
            rewritten.append(option)
    return rewritten
