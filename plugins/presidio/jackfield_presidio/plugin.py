"""What the host finds: the component type ``scrubber.presidio``."""

from __future__ import annotations

from jackfield import RegisterComponents, hookimpl
from jackfield_presidio.component import PresidioScrubber

__all__ = ["register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``scrubber.presidio``, the scrubber where no manifest names one."""
    register.scrubber("scrubber.presidio", PresidioScrubber, default=True)
