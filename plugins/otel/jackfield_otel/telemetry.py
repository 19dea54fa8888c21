"""The OpenTelemetry SDK, set up as the operator asks. Importing this module imports the SDK: do so only then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Histogram, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NoOpTracerProvider, Tracer

from jackfield_otel.wishes import Wishes

__all__ = ["Telemetry"]

_SCOPE = "jackfield-otel"
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"


class Telemetry:
    """The providers of one host. Nothing global is set: other libraries' instrumentation is not touched.

    Args:
        wishes: where to send what.

    Attributes:
        tracer: makes the spans.
        duration: how long a conversation took, in seconds.
        tokens: how many tokens it had.
        first: how long its first piece took, in seconds.
        content: whether spans may hold what was said.
    """

    def __init__(self, wishes: Wishes) -> None:
        self.content = wishes.content
        own = Resource({"service.name": "jackfield", "service.version": version("jackfield")})
        resource = Resource.create().merge(own).merge(OTELResourceDetector().detect())  # the operator's names count
        self._closing: list[Callable[[], object]] = []
        traces: TracerProvider | NoOpTracerProvider = NoOpTracerProvider()
        if wishes.traces:
            traces = TracerProvider(resource=resource, shutdown_on_exit=False)
            traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=wishes.traces)))
            self._closing.append(traces.shutdown)
        metrics: MeterProvider | NoOpMeterProvider = NoOpMeterProvider()
        if wishes.metrics:
            reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=wishes.metrics))
            metrics = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
            self._closing.append(metrics.shutdown)
        scope = _SCOPE, version(_SCOPE)
        self.tracer: Tracer = traces.get_tracer(*scope, schema_url=_SCHEMA)
        meter = metrics.get_meter(*scope, schema_url=_SCHEMA)

        def histogram(name: str, unit: str, text: str, bounds: tuple[float, ...]) -> Histogram:
            return meter.create_histogram(
                f"gen_ai.client.{name}", unit, text, explicit_bucket_boundaries_advisory=list(bounds)
            )

        self.duration = histogram("operation.duration", "s", "GenAI operation duration.", _SECONDS)
        self.tokens = histogram("token.usage", "{token}", "Number of input and output tokens used.", _TOKENS)
        self.first = histogram("operation.time_to_first_chunk", "s", "Time to the first chunk of a stream.", _SECONDS)

    def close(self, done: Callable[[], object]) -> None:
        """Send what is left and end, in a thread: a collector that is slow must not hold up the event loop.

        Args:
            done: called when that is over, in the thread.
        """

        def run() -> None:
            try:
                for shutdown in self._closing:
                    shutdown()
            finally:
                done()

        # A daemon, unlike asyncio's own threads: what still hangs doesn't keep the process from ending.
        threading.Thread(target=run, name="opentelemetry-shutdown", daemon=True).start()
