"""``jackfield components`` lists what a running host serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from jackfield.cli.client import HostError, RunningHostClient, host_url, token_from_environment
from jackfield.cli.tables import table

__all__ = ["components"]

_HEAD = ("NAME", "TYPE", "STATE", "SOURCE")
_PATIENCE = 10.0


@click.command()
@host_url
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the host's metadata endpoint has it.")
def components(*, url: str, as_json: bool) -> None:
    """List the components of a running host, and what is wrong with them.

    A component is ready, starting, stale (it serves an earlier version of its manifest), waiting for its secret store,
    or failed. A host that wants an API token gets the one in the variable DAPR_API_TOKEN.
    """
    answer = RunningHostClient(url, token_from_environment(), _PATIENCE).request("GET", "/v1.0/metadata")
    described = answer.json().get("jackfield")
    if not isinstance(described, dict):
        raise HostError(f"what answers at {url} is no jackfield host; say with --url where one listens")
    click.echo(json.dumps(described, indent=2, ensure_ascii=False) if as_json else _page(described))


def _page(described: Mapping[str, Any]) -> str:
    """The table with each component's problems below its line, then the files that can't be read."""
    listed = described["components"]
    rows = [(each["name"], each["type"], each["state"], each["source"]) for each in listed]
    head, *lines = table([_HEAD, *rows]) if rows else ["No components."]
    page = [head]
    for line, component in zip(lines, listed, strict=True):
        page += [line, *(f"  {problem}" for problem in component["problems"])]
    if described["files"]:
        page += ["Files that can't be read:", *(f"  {problem}" for problem in described["files"])]
    return "\n".join([*page, f"generation {described['generation']}"])
