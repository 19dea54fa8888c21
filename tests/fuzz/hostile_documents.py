"""Whatever schemathesis makes of the OpenAPI document, right and wrong; but for the operation that stops the host."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
import schemathesis
from openapi_checks import CHECKS
from running import RunningHost, component
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from searching import Property

from jackfield.serving.network import Network

__all__ = ["target"]

HEALTH = "/v1.0/healthz"


def _asked(host: RunningHost, path: str, session: requests.Session) -> Any:
    # Dapr answers 500 for a host that isn't ready, or is another than was asked for.
    checks = [check for check in CHECKS if path != HEALTH or check is not not_a_server_error]

    def check(case: schemathesis.Case[Any]) -> str:
        if "name" in case.path_parameters:
            case.path_parameters["name"] = "echo"
        response = case.call(base_url=f"http://127.0.0.1:{host.port}", session=session)
        case.validate_response(response, checks=checks)
        return f"{response.status_code} {response.headers.get('content-type', '')}".strip()

    return check


@contextmanager
def target() -> Iterator[list[Property]]:
    """Give each operation of the document, with both servers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "echo.yaml").write_text(component("echo"))
        found = []
        for server in ("uvicorn", "hypercorn"):
            host = stack.enter_context(RunningHost(folder, Network(port=0, server=server)))
            session = stack.enter_context(requests.Session())
            session.trust_env = False
            schema = schemathesis.openapi.from_dict(host.request("GET", "/openapi.json").json)
            for path, item in schema.raw_schema["paths"].items():
                for method in item:
                    if path.endswith("/shutdown"):
                        continue
                    right = schema[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)
                    wrong = schema[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)
                    check = _asked(host, path, session)
                    name = f"{server}: {method.upper()} {path}"
                    found.append(Property(name, right, check, 10.0, True, 5))
                    if "requestBody" in item[method]:
                        found.append(Property(f"{name}, wrong", wrong, check, 10.0, True, 5))
        yield found
