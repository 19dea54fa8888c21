"""Bedrock's Converse API for ``jackfield.testing``: a dialect that a fake upstream speaks.

Requests are checked against botocore's own model of the service, and against the rules that the API reference gives in
words. For tests alone: it needs what ``jackfield.testing`` needs.
"""

from __future__ import annotations

from jackfield_bedrock.testing.converse import Converse
from jackfield_bedrock.testing.frames import event_frame, frames

__all__ = ["Converse", "event_frame", "frames"]
