"""OpenTelemetry traces and metrics of a Jackfield host, with the GenAI semantic conventions."""
