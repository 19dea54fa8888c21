"""Prometheus metrics of a Jackfield host: Dapr's own, and what Dapr does not count."""

from __future__ import annotations

from jackfield_metrics.families import FAMILIES, Family

__all__ = ["FAMILIES", "Family"]
