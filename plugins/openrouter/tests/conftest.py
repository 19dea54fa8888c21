"""The conformance kit, whose options are known only where a ``conftest.py`` loads it."""

from __future__ import annotations

pytest_plugins = ["jackfield.testing"]
