"""Real hosts, asked as Prometheus asks: over HTTP, with one worker and with several."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, TypeAlias

Serve: TypeAlias = Callable[..., AbstractContextManager[Any]]

CALLS = "dapr_component_conversation_count"
LATENCIES = "dapr_component_conversation_latencies"
STATE = "jackfield_component_state"
SECRET = "sk-a-very-secret-key-0123456789"


def manifest(**items: str) -> str:
    """Write one more component, ``other``."""
    listed = [{"name": name, "value": value} for name, value in items.items()]
    spec = {"type": "conversation.stub", "version": "v1", "metadata": listed}
    head = {"apiVersion": "dapr.io/v1alpha1", "kind": "Component", "metadata": {"name": "other"}}
    return json.dumps({**head, "spec": spec})


def test_what_a_request_does_is_counted(serve: Serve, manifests: Path) -> None:
    """Dapr's count and latencies with Dapr's labels, tokens, masked pieces, retries, and what the host took itself."""
    with serve(manifests, "--app-id", "shop", "--namespace", "prod") as host:
        assert host.converse("llm") == 200
        assert host.converse("llm", "CODE-1 and CODE-2", scrub=True) == 200
        assert host.converse("llm", "flaky") == 200
        assert host.converse("llm", "fail") == 500
        assert host.converse("llm", temperature="warm") == 400
        found = host.scraped(lambda numbers: numbers.total("jackfield_requests_total") == 5)
    assert found.labels(CALLS) == {frozenset({"app_id", "component", "namespace", "success"})}
    labels = {"app_id": "shop", "namespace": "prod", "component": "llm"}
    for success, number in (("true", 3), ("false", 1)):
        assert found.total(CALLS, **labels, success=success) == number
        assert found.total(f"{LATENCIES}_count", **labels, success=success) == number
        assert found.total(f"{LATENCIES}_bucket", **labels, success=success, le="+Inf") == number
        assert found.total(f"{LATENCIES}_sum", **labels, success=success) > 0
    assert found.total("jackfield_tokens_total", component="llm", model="stub-1", kind="prompt") == 9
    assert found.total("jackfield_tokens_total", component="llm", served_by="llm", kind="completion") == 15
    assert found.total("jackfield_scrubbed_entities_total", component="llm", entity="CODE") == 2
    assert found.total("jackfield_retries_total", component="llm") == 2
    assert found.total("jackfield_overhead_seconds_count", component="llm") == 4
    assert found.total("jackfield_requests_total", component="llm", api="alpha2", status="400") == 1
    invoke = {"error_code": "ERR_CONVERSATION_INVOKE", "category": "conversation"}
    assert found.total("dapr_error_code_total", app_id="shop", **invoke) == 1


def test_kept_replies_and_the_first_token_are_counted(serve: Serve, manifests: Path) -> None:
    """The cache's result is counted by kind, a hit has no tokens of its own, and streams tell their first token."""
    (manifests / "other.yaml").write_text(manifest(responseCacheTTL="10m"))
    with serve(manifests) as host:
        assert [host.converse("other") for _ in range(3)] == [200, 200, 200]
        assert host.converse("llm", stream=True) == 200
        found = host.scraped(lambda numbers: numbers.total(CALLS) == 4)
    results = {name: found.total("jackfield_cache_total", component="other", result=name) for name in ("miss", "hit")}
    assert results == {"miss": 1, "hit": 2}
    assert found.total("jackfield_tokens_total", component="other", kind="prompt") == 3
    assert found.total("jackfield_first_token_seconds_count", component="llm") == 1
    assert found.total("jackfield_first_token_seconds_count", component="other") == 0


def test_components_and_breakers_are_shown_as_they_stand(serve: Serve, manifests: Path) -> None:
    """States, generation and failures follow the folder, and a breaker that opens is seen."""
    breaker = "jackfield_breaker_state"
    with serve(manifests) as host:
        before = host.scrape()
        assert before.total(STATE, component="llm", state="ready") == 1
        assert before.total(breaker, component="weak", state="closed") == 1
        assert [host.converse("weak", "fail") for _ in range(2)] == [500, 500]
        host.scraped(lambda numbers: numbers.total(breaker, component="weak", state="open") == 1)
        (manifests / "llm.yaml").write_text("nonsense: [\n")
        after = host.scraped(lambda numbers: numbers.total(STATE, component="llm", state="stale") == 1)
        (manifests / "weak.yaml").unlink()
        host.scraped(lambda numbers: not numbers.total(STATE, component="weak"))
    assert after.total(STATE, component="llm") == 1
    assert after.total("jackfield_component_failures_total", component="llm") == 1
    assert after.total("dapr_runtime_component_init_fail_total", type="conversation.stub", reason="stale") == 1
    assert after.total("dapr_runtime_component_loaded") == 2
    assert after.total("jackfield_generation") > before.total("jackfield_generation")
    assert after.total(breaker, component="weak", state="closed") == 0
    assert after.total("jackfield_breaker_changes_total", component="weak", state="open") == 1


def test_several_workers_give_one_answer_and_no_counter_falls(serve: Serve, manifests: Path) -> None:
    """A scrape has all workers' numbers; one that is killed, listening or not, takes none away, and is replaced."""
    seen: list[float] = []

    def both_ready(numbers: Any) -> bool:
        seen.append(numbers.total(CALLS, component="llm"))
        return bool(numbers.total(STATE, component="llm", state="ready") == 2)

    with serve(manifests, "--workers", "2") as host:
        for _ in range(20):
            assert host.converse("llm") == 200
        first = host.scraped(lambda numbers: numbers.total(CALLS, component="llm", success="true") == 20)
        assert first.total(STATE, component="llm", state="ready") == 2
        folder = _folder(host.pids()[0])
        for victim in sorted(host.pids()):
            os.kill(victim, signal.SIGKILL)
            host.until(lambda gone=victim: len(pids := host.pids()) == 2 and gone not in pids)
            host.scraped(both_ready)
            assert set(seen) == {20}
            assert len(list(folder.glob("*.ledger"))) == 2
        for _ in range(10):
            assert host.converse("llm") == 200
        last = host.scraped(lambda numbers: numbers.total(CALLS, component="llm", success="true") == 30)
        assert last.total("jackfield_tokens_total", kind="prompt") == 90
        assert folder.is_dir()
    assert not folder.exists()


def _folder(pid: int) -> Path:
    """The folder that the workers share, as the kernel tells of one of them."""
    mapped = Path(f"/proc/{pid}/maps").read_text()
    (ledger,) = {line.split()[-1] for line in mapped.splitlines() if line.endswith(".ledger")}
    return Path(ledger).parent


def test_a_port_that_is_taken_is_a_warning(serve: Serve, manifests: Path) -> None:
    """The host serves on and says which port and which option; once the port is free, the metrics come."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(manifests, metrics=str(port)) as host:
            line = host.wait_for("a service can't be started").string
            assert "level=warning" in line
            assert f"port {port} for metrics is taken; free it, or choose another with --metrics-port" in line
            assert host.converse("llm") == 200
            taken.close()
            host.scraped(lambda numbers: numbers.total(CALLS) == 1)


def test_metrics_can_be_switched_off(serve: Serve, manifests: Path) -> None:
    """Daprd's own switch works: nothing listens."""
    with serve(manifests, "--enable-metrics=false") as host:
        assert host.converse("llm") == 200
    assert "serving metrics" not in "".join(host.lines)


def test_every_path_answers_and_nothing_but_reads_is_taken(serve: Serve, manifests: Path) -> None:
    """As with daprd any path gives the metrics; HEAD has no body, POST is refused, and nonsense closes."""
    with serve(manifests) as host:
        port = host.metrics_port
        assert host.ask("GET", "/", port=port)[2].startswith("# HELP ")
        status, headers, body = host.ask("HEAD", "/metrics", port=port)
        assert (status, body) == (200, "")
        assert int(headers["content-length"]) > 0
        assert host.ask("POST", "/metrics", {}, port=port)[0] == 405
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client, suppress(ConnectionError):
            client.sendall(b"x" * 100_000)
            assert client.recv(100) == b""
        assert host.ask("GET", "/metrics", port=port)[0] == 200


def test_no_text_and_no_secret_is_shown(serve: Serve, manifests: Path) -> None:
    """What was said, what a provider answered with, and keys are in no label and no help."""
    (manifests / "other.yaml").write_text(manifest(key=SECRET))
    with serve(manifests) as host:
        assert host.converse("other", "fail with my private CODE-77", scrub=True) == 500
        assert host.converse("made-up-name-9") == 400
        found = host.scraped(lambda numbers: numbers.total("jackfield_requests_total") == 2)
    assert found.total("jackfield_scrubbed_entities_total", component="other", entity="CODE") == 1
    assert found.total("jackfield_requests_total", component="", status="400") == 1
    for hidden in (SECRET, "private", "CODE-77", "must not be shown", "made-up-name-9"):
        assert hidden not in found.text
