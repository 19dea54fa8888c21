"""Other gateways, each with one upstream of OpenAI's API: what is installed, and how its own documentation sets it up.

None asks for a key, keeps replies, logs each request where that can be switched off, or reports to its makers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template

__all__ = ["MODEL", "PEERS", "Peer", "filled"]

MODEL = "gpt-4o"
"""What every gateway is asked for, and asks the upstream for: one of them serves only models that it knows."""


@dataclass(frozen=True)
class Peer:
    """A gateway from a package registry.

    In texts, ``$port`` is where it listens, ``$upstream`` the upstream's port, ``$environment`` the folder that it is
    installed in and ``$folder`` the one with its files.

    Attributes:
        title: its name and version, as the table has them.
        package: what is installed.
        registry: ``pypi`` or ``npm``.
        command: what starts it.
        ready: a path that answers 200 as soon as it serves.
        files: its configuration, by file name.
        variables: of its environment, beside a path and a home.
        headers: that each request brings.
    """

    title: str
    package: str
    registry: str
    command: tuple[str, ...]
    ready: str
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put ports and folders into a text."""
    return Template(text).substitute(values)


_LITELLM = f"""\
model_list:
  - model_name: {MODEL}
    litellm_params:
      model: openai/{MODEL}
      api_base: http://127.0.0.1:$upstream/v1
      api_key: k
litellm_settings:
  telemetry: false
"""

# Its HTTP server writes a line for each request otherwise.
_LITELLM_LOG = """\
version: 1
disable_existing_loggers: false
loggers:
  uvicorn.access:
    level: WARNING
"""

_FERROGW = """\
strategy:
  mode: single
targets:
  - virtual_key: openai
"""

_ROLTER = f"""\
[server]
host = "127.0.0.1"
port = $port
[[providers.readonly]]
name = "mock"
kind = "openai_compatible"
api_base = "http://127.0.0.1:$upstream"
[[routes]]
model = "{MODEL}"
strategy = "round_robin"
[[routes.targets]]
provider = "mock"
model = "{MODEL}"
"""

PEERS = {
    "litellm": Peer(
        title="litellm 1.80.0",
        package="litellm[proxy]==1.80.0",
        registry="pypi",
        command=(
            *("$environment/bin/litellm", "--config", "$folder/config.yaml", "--host", "127.0.0.1", "--port", "$port"),
            *("--num_workers", "1", "--telemetry", "False", "--log_config", "$folder/log.yaml"),
        ),
        ready="/health/liveliness",
        files={"config.yaml": _LITELLM, "log.yaml": _LITELLM_LOG},
        # Its list of prices comes from its package instead of from its makers' server.
        variables={"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    ),
    "ferrogw": Peer(
        title="ferrogw 1.5.10",
        package="ferrogw==1.5.10",
        registry="pypi",
        command=("$environment/bin/ferrogw", "serve"),
        ready="/readyz",
        files={"config.yaml": _FERROGW},
        variables={
            "PORT": "$port",
            "GATEWAY_CONFIG": "$folder/config.yaml",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": "http://127.0.0.1:$upstream/v1",
            "ALLOW_UNAUTHENTICATED_PROXY": "true",
            "FERRO_MODEL_CATALOG_TIMEOUT": "0",  # no look for a newer list of models
            "LOG_LEVEL": "warn",
            "RATE_LIMIT_RPS": "1000000",  # its default refuses a client's 101st request of a second
            "RATE_LIMIT_BURST": "1000000",
        },
    ),
    "rolter": Peer(
        title="rolter 0.1.0",
        package="rolter==0.1.0",
        registry="pypi",
        command=("$environment/bin/rolter", "gateway", "--config", "$folder/rolter.toml"),
        ready="/readyz",
        files={"rolter.toml": _ROLTER},
        variables={"ROLTER_TELEMETRY_ENABLED": "false", "ROLTER_UPDATE_CHECK": "false", "RUST_LOG": "warn"},
    ),
    "portkey": Peer(
        title="portkey gateway 1.15.2",
        package="@portkey-ai/gateway@1.15.2",
        registry="npm",
        command=(
            *("node", "$environment/node_modules/@portkey-ai/gateway/build/start-server.js"),
            *("--port=$port", "--headless"),
        ),
        ready="/",
        variables={"NODE_ENV": "production"},
        # It has no configuration of its own: each request says where it goes.
        headers={
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": "http://127.0.0.1:$upstream/v1",
            "authorization": "Bearer k",
        },
    ),
}
"""The gateways by the name that chooses them."""
