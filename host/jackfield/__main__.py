"""``python -m jackfield`` is the same as ``jackfield``."""

from __future__ import annotations

from jackfield.cli import main

main()
