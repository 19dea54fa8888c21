"""The host's own policies are plugins like any other: copies of them work from a foreign distribution."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from built_plugin import install_built
from process import serving
from running import component, converse_on

import jackfield
from jackfield import builtin

HOME = Path(builtin.__file__).parent
POLICIES = ("cache", "route", "scrub")
DENIED = ",".join(f"builtin.{name}" for name in POLICIES)
ROUTER = component("any", "conversation.router").replace(
    "  version: v1\n", "  version: v1\n  metadata:\n  - name: targets\n    value: [{name: llm}]\n"
)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_imports_nothing_of_the_host_but_its_public_names(policy: str) -> None:
    """Whatever it needs, a plugin from elsewhere has too."""
    for file in (HOME / policy).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("jackfield") for alias in node.names), file
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jackfield"):
                own = (node.module or "").startswith(f"jackfield.builtin.{policy}")
                assert own or node.module == "jackfield", f"{file.name}: {node.module}"
                names = {alias.name for alias in node.names}
                assert own or names <= set(jackfield.__all__), f"{file.name}: {names - set(jackfield.__all__)}"


def test_copies_in_a_foreign_distribution_do_the_same_work(tmp_path: Path) -> None:
    """With the host's own ones denied a reply is cached, a router routes, and a message is scrubbed."""
    files = {
        f"foreign_{policy}/{file.name}": file.read_text().replace(f"jackfield.builtin.{policy}", f"foreign_{policy}")
        for policy in POLICIES
        for file in (HOME / policy).glob("*.py")
    }
    entries = {f"foreign-{policy}": f"foreign_{policy}" for policy in POLICIES}
    site = install_built(tmp_path / "build", "foreign", files, entries)
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "all.yaml").write_text(f"{component('llm', cacheTTL='1h')}---\n{ROUTER}")
    with serving(folder, "--deny-plugins", DENIED, PYTHONPATH=str(site)) as host:
        replies = [converse_on(host.port, "llm", "hello") for _ in range(2)]
        assert [reply.headers["x-jackfield-cache"] for reply in replies] == ["miss", "hit"]
        routed = converse_on(host.port, "any", "around the corner")
        assert (routed.status, routed.headers["x-jackfield-component"]) == (200, "llm")
        scrubbed = converse_on(host.port, "llm", "I am jane@example.com", scrub=True)
        assert scrubbed.status == 200
        assert b"<EMAIL_ADDRESS>" in scrubbed.body
        assert b"jane@example.com" not in scrubbed.body


def test_without_them_nothing_is_cached_routed_or_scrubbed(tmp_path: Path) -> None:
    """The test above would fail without the copies: a denied policy is really off."""
    (tmp_path / "all.yaml").write_text(f"{component('llm', cacheTTL='1h')}---\n{ROUTER}")
    with serving(tmp_path, "--no-cache", "--no-scrub", "--no-route") as host:
        assert all("x-jackfield-cache" not in converse_on(host.port, "llm", "hello").headers for _ in range(2))
        assert converse_on(host.port, "any", "hello").status == 400
        refused = converse_on(host.port, "llm", "I am jane@example.com", scrub=True)
        assert refused.status == 500
        assert b"jane@example.com" not in refused.body
