"""The page on observability, compared with the metrics that a running host gives."""

from __future__ import annotations

import http.client
import logging
import re
from pathlib import Path

import pytest
from markdown import page
from running import RunningHost, component

families = pytest.importorskip("jackfield_metrics", reason="the plugin is not installed here").FAMILIES

PAGE = page("docs/operators/observability.md")


def codes(text: str) -> tuple[str, ...]:
    """Return what stands in a text as code."""
    return tuple(re.findall(r"`([^`]+)`", text))


def test_every_metric_is_described() -> None:
    """The table has each metric with its kind, its labels and its meaning, in the order in which they are shown."""
    rows = [(codes(name)[0], kind, codes(labels), text) for name, kind, labels, text in PAGE.table("What is counted")]
    own = families.values()
    assert rows == [(one.name, one.kind, (*one.common, *one.labels), one.text) for one in own]


def test_a_running_host_gives_what_the_page_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A scrape has no metric, and no label, that the table hasn't."""
    (tmp_path / "llm.yaml").write_text(component("llm"))
    options = {"service_options": {"metrics-port": "0", "metrics-listen-address": "127.0.0.1"}}
    with (
        caplog.at_level(logging.INFO, "jackfield.metrics"),
        RunningHost(tmp_path, services=True, options={**options, "plugins": ("metrics", "echo")}) as host,
    ):
        assert host.converse("llm").status == 200
        (told,) = [record for record in caplog.records if record.name == "jackfield.metrics"]
        connection = http.client.HTTPConnection("127.0.0.1", int(vars(told)["url"].rpartition(":")[2]), timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
    described = {codes(row[0])[0]: (row[1], codes(row[2])) for row in PAGE.table("What is counted")}
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert kinds
    assert kinds == {name: described[name][0] for name in kinds}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        family = next(known for known in (name, re.sub(r"_(bucket|sum|count)$", "", name)) if known in described)
        assert tuple(label for label in re.findall(r'(\w+)="', labels) if label != "le") == described[family][1]
