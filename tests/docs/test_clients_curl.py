"""The page's curl, run as the page has it by a shell against the model that a fresh clone serves."""

from __future__ import annotations

import json
import os
import re
import subprocess

from markdown import ROOT, page

from jackfield.testing import RunningHost

(CURL,) = [block for block in page("docs/clients.md").blocks if block.told("client") == "curl"]


def test_curl_prints_the_stream() -> None:
    """The pieces make up the model's answer, and the stream is whole."""
    options = {"environment": dict(os.environ), "plugins": ("llamacpp", "echo", "presidio")}
    with RunningHost(ROOT / "manifests", options=options) as host:
        command = CURL.text.replace("http://localhost:3500", f"http://127.0.0.1:{host.port}")
        assert command != CURL.text
        done = subprocess.run(
            ["sh", "-c", command],
            check=True,
            capture_output=True,
            text=True,
            timeout=50,
            env={**os.environ, "NO_PROXY": "*"},
        )
    pieces = [json.loads(data) for data in re.findall(r"^data: (.+)$", done.stdout, re.MULTILINE)]
    said = "".join(
        choice["delta"].get("content", "")
        for piece in pieces[:-1]
        for output in piece["outputs"]
        for choice in output["choices"]
    )
    assert len(pieces) > 3
    assert "Paris" in said
    assert re.findall(r"^event: (.+)$", done.stdout, re.MULTILINE) == ["done"]
    assert pieces[-1]["record"]["component"] == "llm"
