"""Scrubbing of personal data and secrets for Jackfield, with Microsoft Presidio."""

from __future__ import annotations

from jackfield_presidio.component import PresidioScrubber
from jackfield_presidio.settings import CustomPattern, Operator, PresidioSettings

__all__ = ["CustomPattern", "Operator", "PresidioScrubber", "PresidioSettings"]
