"""Scrubbing in a host that runs, with the default scrubber."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import RunningHost, component

MAIL = "Write to jane.doe@example.com today"


@pytest.mark.parametrize(("api", "status"), [("alpha1", 202), ("alpha2", 200)])
def test_what_a_manifest_enforces_is_masked(tmp_path: Path, api: str, status: int) -> None:
    """A component with ``scrubPII`` gets masked text; one with ``scrubber: none`` as well refuses."""
    manifests = [component("echo", scrubPII="both"), component("bare", scrubPII="both", scrubber="none")]
    (tmp_path / "a.yaml").write_text("---\n".join(manifests))
    with RunningHost(tmp_path) as host:
        reply = host.converse("echo", MAIL, api=api)
        assert reply.status == status, reply.body
        assert b"jane.doe" not in reply.body
        assert b"EMAIL_ADDRESS" in reply.body
        assert host.converse("bare", MAIL, api=api).status == 500


def test_the_document_s_own_example_is_served(tmp_path: Path) -> None:
    """The alpha1 document's request, with its flags on, is 202."""
    (tmp_path / "a.yaml").write_text(component("echo"))
    body = '{"inputs":[{"content":"What is Dapr?","role":"user","scrubPII":"true"}],"cacheTTL":"10m","scrubPII":"true"}'
    with RunningHost(tmp_path) as host:
        reply = host.request("POST", "/v1.0-alpha1/conversation/echo/converse", body)
    assert (reply.status, reply.json["outputs"][0]["result"]) == (202, "What is Dapr?")
