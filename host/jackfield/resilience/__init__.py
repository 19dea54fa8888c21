"""Retries, time limits and circuit breakers from Dapr's Resiliency manifests (contract sheet, section 7)."""
