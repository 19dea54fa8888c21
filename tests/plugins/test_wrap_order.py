"""The order of the stages that plugins wrap around a component."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_site import Site
from process import serving
from running import component, get_on

WRAP = """
from jackfield import hookimpl

@hookimpl
def wrap_handler(build):
    def stage(handler):
        return handler
    stage.sees_unscrubbed = {sees}
    return stage
"""
SCRUB_IN, REST = "scrub-in builtin.scrub", ["cache builtin.cache", "scrub-out builtin.scrub"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["wrap beta (sees unscrubbed)", SCRUB_IN, "wrap alpha", "wrap gamma", *REST]),
        (("--wrap-order", "gamma,beta"), ["wrap beta (sees unscrubbed)", SCRUB_IN, "wrap gamma", "wrap alpha", *REST]),
        (("--no-scrub", "--no-cache"), ["wrap beta (sees unscrubbed)", "wrap alpha", "wrap gamma"]),
    ],
)
def test_wrap_stages_stand_as_the_operator_says_and_then_by_name(
    tmp_path: Path, options: tuple[str, ...], expected: list[str]
) -> None:
    """Metadata lists the stages outermost first; one that sees unscrubbed text stands outside and is marked."""
    site, folder = Site(tmp_path / "site"), tmp_path / "manifests"
    site.path.mkdir()
    folder.mkdir()
    for name in ("alpha", "beta", "gamma"):
        site.install(name, WRAP.format(sees=name == "beta"))
    (folder / "a.yaml").write_text(component("echo"))
    with serving(folder, *options, PYTHONPATH=str(site.path)) as host:
        (listed,) = get_on(host.port, "/v1.0/metadata").json["jackfield"]["components"]
        assert listed["stages"] == expected
