"""What the tests of this plugin need."""

from __future__ import annotations

pytest_plugins = ["jackfield.testing"]
