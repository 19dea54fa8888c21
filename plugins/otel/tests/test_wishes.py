"""What the variables ask for."""

from __future__ import annotations

import pytest

from jackfield_otel.wishes import Wishes, read_wishes

COMMON = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES, METRICS = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
BOTH = Wishes(traces="http://c:4318/v1/traces", metrics="http://c:4318/v1/metrics")


@pytest.mark.parametrize(
    ("environment", "wishes"),
    [
        ({}, Wishes()),
        ({COMMON: " "}, Wishes()),
        ({COMMON: "http://c:4318"}, BOTH),
        ({COMMON: "http://c:4318/"}, BOTH),
        ({TRACES: "http://t/own"}, Wishes(traces="http://t/own")),
        ({METRICS: "http://m/own"}, Wishes(metrics="http://m/own")),
        (
            {COMMON: "http://c:4318", TRACES: "http://t/own"},
            Wishes(traces="http://t/own", metrics="http://c:4318/v1/metrics"),
        ),
        ({COMMON: "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, Wishes()),
        ({COMMON: "http://c:4318", "OTEL_METRICS_EXPORTER": "none"}, Wishes(traces="http://c:4318/v1/traces")),
        ({COMMON: "http://c:4318", "OTEL_TRACES_EXPORTER": "console"}, Wishes(metrics="http://c:4318/v1/metrics")),
        ({CONTENT: "true"}, Wishes(content=True)),
        ({CONTENT: "SPAN_ONLY"}, Wishes(content=True)),
        ({CONTENT: "event_only"}, Wishes()),
        ({CONTENT: "yes, please"}, Wishes()),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], wishes: Wishes) -> None:
    """Addresses, exporters and switches mean what OpenTelemetry's specification says; anything unclear is a no."""
    assert read_wishes(environment) == wishes


@pytest.mark.parametrize("protocol", ["grpc", "http/json", "http/protobuf", ""])
def test_a_protocol_that_isn_t_spoken_is_complained_of(protocol: str) -> None:
    """Whoever asks for another protocol is told which one is sent; without an address there is nothing to tell."""
    complaint = read_wishes({COMMON: "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}).complaint
    assert bool(complaint) == (protocol in {"grpc", "http/json"})
    assert protocol in complaint or not complaint
    assert read_wishes({"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}).complaint == ""
