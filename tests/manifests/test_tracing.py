"""A Configuration's ``tracing``, as variables of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from jackfield.manifests.configuration import Configuration, read_configuration
from jackfield.manifests.tracing import unset

TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HALF = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"}
LEAST = {**HALF, "OTEL_TRACES_SAMPLER_ARG": "0.0001"}


def read(tmp_path: Path, tracing: str) -> Configuration:
    file = tmp_path / "config.yaml"
    file.write_text(f"apiVersion: dapr.io/v1alpha1\nkind: Configuration\nspec:\n  tracing: {tracing}\n")
    return read_configuration([file], environment={})


@pytest.mark.parametrize(
    ("tracing", "variables"),
    [
        ("{}", {}),
        ("{samplingRate: '0.5'}", HALF),
        ("{samplingRate: 0.5}", HALF),
        ("{samplingRate: ''}", LEAST),
        ("{samplingRate: often}", LEAST),
        ("{samplingRate: '7'}", LEAST),
        ("{samplingRate: 'nan'}", LEAST),
        ("{samplingRate: '0'}", {**HALF, "OTEL_TRACES_SAMPLER_ARG": "0"}),
        (
            "{samplingRate: '0.5', otel: {endpointAddress: 'collector:4318', isSecure: false, protocol: http}}",
            {TRACES: "http://collector:4318/v1/traces", **HALF},
        ),
        (
            "{otel: {endpointAddress: 'collector:4318', protocol: HTTP}}",
            {TRACES: "https://collector:4318/v1/traces", **LEAST},
        ),
        (
            "{otel: {endpointAddress: 'http://collector:4318/', protocol: http}}",
            {TRACES: "http://collector:4318/v1/traces", **LEAST},
        ),
        ("{otel: {endpointAddress: '', protocol: http}}", {}),
        ("{otel: {endpointAddress: 'collector:4317', isSecure: false, protocol: grpc}}", {}),
    ],
)
def test_tracing_becomes_the_standard_variables(tmp_path: Path, tracing: str, variables: dict[str, str]) -> None:
    """Address, security and sampling rate mean what they mean to daprd; what isn't http is sent nowhere."""
    assert read(tmp_path, tracing).telemetry == variables


@pytest.mark.parametrize(
    ("tracing", "notice"),
    [
        ("{stdout: true}", "spec.tracing.stdout: has no effect in this host"),
        ("{zipkin: {endpointAddress: 'http://zipkin'}}", "spec.tracing.zipkin: has no effect in this host"),
        ("{samplingRate: '1'}", "spec.tracing: counts where jackfield-otel is installed"),
        (
            "{otel: {endpointAddress: 'collector:4317', protocol: grpc}}",
            (
                "spec.tracing.otel.protocol: is not http, so no traces are sent: there is no OTLP over gRPC; give the "
                "collector's address for HTTP, port 4318 as a rule, and write `protocol: http`"
            ),
        ),
    ],
)
def test_what_has_no_effect_is_told(tmp_path: Path, tracing: str, notice: str) -> None:
    """A member that does nothing here is named with its line, and stops nothing."""
    (problem,) = read(tmp_path, tracing).problems
    assert problem.severity == "notice"
    assert str(problem) == f"{tmp_path}/config.yaml:4: {notice}"


@pytest.mark.parametrize(
    ("environment", "left"),
    [
        ({}, {TRACES: "https://c/v1/traces", **HALF}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other"}, HALF),
        ({TRACES: "http://other"}, HALF),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, {TRACES: "https://c/v1/traces"}),
    ],
)
def test_the_environment_counts_first(environment: dict[str, str], left: dict[str, str]) -> None:
    """What an operator sets as a variable is not replaced by a Configuration."""
    assert unset({TRACES: "https://c/v1/traces", **HALF}, environment) == left
