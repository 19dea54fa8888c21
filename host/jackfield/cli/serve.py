"""``jackfield serve``: serve a folder of manifests."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from jackfield.cli.daprd import IGNORED_FLAGS, IGNORED_OPTIONS, SERVICE_OPTIONS
from jackfield.cli.environment import read_environment
from jackfield.cli.options import QUANTITY, SECONDS, flag, option
from jackfield.errors import ConfigurationError
from jackfield.logs import configure
from jackfield.manifests.configuration import read_configuration
from jackfield.manifests.tracing import unset
from jackfield.options import HostOptions
from jackfield.plugins.options import allow_list, parse_names, parse_prefer
from jackfield.serving.network import Network, bind, own_socket_file

__all__ = ["options_from_environment", "serve"]

_log = logging.getLogger("jackfield.host")


def _ignored(command: click.Command) -> click.Command:
    """Accept daprd's options that mean nothing here."""
    for name in IGNORED_OPTIONS:
        command.params.append(click.Option([f"--{name}"], hidden=True, expose_value=False))
    for name in IGNORED_FLAGS:
        command.params.append(click.Option([f"--{name}"], hidden=True, expose_value=False, is_flag=True))
    return command


@click.command()
@option(
    "--manifests",
    "--resources-path",
    "--components-path",
    "folders",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Folder with manifests; give it again for more folders.  [default: manifests]",
    show_default=False,
)
@option(
    "--port", "--dapr-http-port", type=click.IntRange(0, 65535), default=3500, help="HTTP port; 0 for any free one."
)
@option(
    "--host", "--dapr-listen-addresses", "addresses", default="127.0.0.1", help="Addresses to listen on, with commas."
)
@option("--unix-socket", type=click.Path(path_type=Path), help="Listen on this Unix socket instead of a port.")
@option("--unix-domain-socket", hidden=True, help="daprd's: a folder for the socket.")
@option("--dapr-grpc-port", type=click.IntRange(0, 65535), help="jackfield-grpc's port; 0 for any.  [default: 50001]")
@option("--metrics-port", type=click.IntRange(0, 65535), help="jackfield-metrics' port; 0 for any.  [default: 9090]")
@option("--metrics-listen-address", help="Address of jackfield-metrics' port.")
@option("--enable-metrics", type=bool, help="Whether jackfield-metrics serves.  [default: true]")
@option("--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate chain (PEM).")
@option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The certificate's key (PEM).")
@option(
    "--tls-client-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take only clients with a certificate that this CA (PEM) signed.",
)
@option("--workers", type=click.IntRange(1, 64), default=1, help="Serving processes.")
@option(
    "--worker-timeout",
    type=SECONDS,
    default=30.0,
    help="Kill and replace one of several workers that stands still for this long; 0 for never.",
)
@option("--server", type=click.Choice(["hypercorn", "uvicorn"]), default="hypercorn", help="The HTTP server.")
@option(
    "--alpha1",
    type=click.Choice(["documented", "daprd"]),
    default="documented",
    help="What alpha1 over HTTP follows: its reference document, or daprd.",
)
@option("--app-id", default="", help="The app's id, for scopes and template tags.")
@option(
    "--namespace", envvar=["JACKFIELD_NAMESPACE", "NAMESPACE"], default="", help="Take manifests of this namespace."
)
@option("--config", "configs", type=click.Path(path_type=Path), multiple=True, help="A file with kind: Configuration.")
@flag("--ignore-unsupported-config", help="Start although the Configuration asks for something this host can't do.")
@option("--allowed-origins", default="", help="Web origins whose pages may call, with commas; * for all.")
@option("--allowed-hosts", default="", help="Further names in Host headers, with commas; * for all.")
@option("--max-body-size", type=QUANTITY, default="4Mi", help="Largest request body.", metavar="SIZE")
@option("--dapr-http-max-request-size", type=int, hidden=True, help="daprd's: the largest body in MB.")
@option(
    "--graceful-shutdown-seconds",
    "--dapr-graceful-shutdown-seconds",
    type=SECONDS,
    default=5.0,
    help="How long running replies may take after a stop.",
)
@option(
    "--env-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read variables from this file."
)
@option("--log-level", type=click.Choice(["debug", "info", "warn", "error"], case_sensitive=False), default="info")
@option("--log-format", type=click.Choice(["text", "json"]), default="text")
@flag("--log-as-json", help="The same as --log-format json.")
@flag("--enable-api-logging", help="Log a line per request.")
@flag("--strict", help="Exit with code 1 if a component of the first start fails.")
@flag("--dev", help="Replace the serving processes when code of an editable plugin, or of the host, changes.")
@flag("--no-reload", help="Read the manifests once.")
@flag("--poll", help="Look for changes once a second instead of listening for events.")
@option("--plugins", "allow", help="Load only these plugins, with commas.")
@option("--deny-plugins", "deny", help="Don't load these plugins, with commas.")
@option("--prefer", multiple=True, metavar="TYPE=PLUGIN", help="Take a component type from this plugin.")
@option("--wrap-order", default="", help="Plugins whose stages come first around a component, in order, with commas.")
@flag("--no-cache", help="Keep no replies, whatever manifests and requests say.")
@flag("--no-scrub", help="Load no scrubber: requests that ask for scrubbing are refused.")
@flag("--no-route", help="Serve no routers.")
@flag("--warm", help="Load the default scrubber at the start, not with the first request that needs it.")
def serve(**given: Any) -> None:
    """Serve the component manifests of a folder over HTTP.

    Components go live, change and go away with their files. daprd's own option names are accepted, so a script that
    starts daprd starts this.
    """
    environment = read_environment(given["env_file"])
    configure(
        level=given["log_level"],
        form="json" if given["log_as_json"] else given["log_format"],
        app_id=given["app_id"],
    )
    options, network = _host_options(given, environment), _network(given)
    sockets = bind(network)
    from jackfield.serving.start import start

    with own_socket_file(network):
        code = start(options, network, sockets, workers=given["workers"], dev=given["dev"])
    sys.exit(code)


_ignored(serve)


def options_from_environment() -> HostOptions:
    """Read the host's options from the ``JACKFIELD_*`` variables alone.

    Raises:
        ConfigurationError: a variable's value is wrong.
    """
    try:
        context = serve.make_context("jackfield", [])
    except click.ClickException as error:
        raise ConfigurationError(error.format_message()) from None
    given = context.params
    return _host_options(given, read_environment(given["env_file"]))


def _host_options(given: dict[str, Any], environment: dict[str, str]) -> HostOptions:
    configuration = read_configuration(
        given["configs"], environment=environment, ignore_unsupported=given["ignore_unsupported_config"]
    )
    for problem in configuration.problems:
        _log.warning("%s", problem)
    for name, value in unset(configuration.telemetry, environment).items():
        os.environ[name] = environment[name] = value  # in the process too, as libraries read them there
    size: int = given["max_body_size"]
    if (given["dapr_http_max_request_size"] or 0) > 0:
        size = given["dapr_http_max_request_size"] << 20
    return HostOptions(
        folders=given["folders"] or (Path("manifests"),),
        app_id=given["app_id"],
        namespace=given["namespace"],
        alpha1=given["alpha1"],
        api_token=environment.get("DAPR_API_TOKEN", ""),
        allowed_origins=_listed(given["allowed_origins"]),
        allowed_hosts=_listed(given["allowed_hosts"]),
        max_body_size=size,
        graceful_shutdown_seconds=given["graceful_shutdown_seconds"],
        worker_timeout=given["worker_timeout"],
        reload=not given["no_reload"] and configuration.hot_reload,
        watch_events=not given["poll"],
        api_logging=given["enable_api_logging"] or configuration.api_logging,
        strict=given["strict"],
        configuration=configuration,
        plugins=allow_list(given["allow"], os.environ),
        deny_plugins=(*(parse_names(given["deny"]) or ()), *_switched_off(given)),
        prefer=parse_prefer(given["prefer"]),
        wrap_order=parse_names(given["wrap_order"]) or (),
        warm=given["warm"],
        service_options=_service_options(given),
        environment=environment,
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _service_options(given: dict[str, Any]) -> dict[str, str]:
    """Return what was given for the services of plugins, as texts."""
    values = {name: given[name.replace("-", "_")] for name in SERVICE_OPTIONS}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }


def _switched_off(given: dict[str, Any]) -> list[str]:
    """Return the host's own plugins that options switch off."""
    return [f"builtin.{name}" for name in ("cache", "scrub", "route") if given[f"no_{name}"]]


def _network(given: dict[str, Any]) -> Network:
    unix_socket: Path | None = given["unix_socket"]
    if unix_socket is None and given["unix_domain_socket"]:  # daprd's default is an empty text
        unix_socket = Path(given["unix_domain_socket"]) / f"dapr-{given['app_id']}-http.socket"
    if given["tls_key"] is not None and given["tls_cert"] is None:
        raise ConfigurationError("--tls-key is given without --tls-cert; give both")
    if given["tls_client_ca"] is not None and given["tls_cert"] is None:
        raise ConfigurationError("--tls-client-ca is given without --tls-cert; give both")
    addresses = tuple(part.strip().strip("[]") for part in given["addresses"].split(",") if part.strip())
    return Network(
        addresses=addresses or ("",),
        port=given["port"],
        unix_socket=unix_socket,
        unix_folder=Path(given["unix_domain_socket"]) if given["unix_domain_socket"] else None,
        certificate=given["tls_cert"],
        private_key=given["tls_key"],
        client_ca=given["tls_client_ca"],
        server=given["server"],
    )
