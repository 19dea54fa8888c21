"""What a provider plugin needs to ask a server over HTTP: settings, the component's base, events and errors.

The names here are public, beside those of ``jackfield`` itself. A plugin that uses them depends on ``jackfield[http]``,
which brings aiohttp; it is imported when the first component starts, so that finding plugins stays cheap.
"""

from __future__ import annotations

from jackfield.upstream.advice import advice_by_words
from jackfield.upstream.component import UpstreamConversation
from jackfield.upstream.decoding import decode, token_count
from jackfield.upstream.events import LARGEST_REPLY, cut_off, read_events
from jackfield.upstream.failures import retry_after, stated_error
from jackfield.upstream.forced import call_is_due, no_call
from jackfield.upstream.outgoing import outgoing_headers
from jackfield.upstream.reply import Reply
from jackfield.upstream.settings import UpstreamSettings
from jackfield.upstream.sse import EventParser

__all__ = [
    "LARGEST_REPLY",
    "EventParser",
    "Reply",
    "UpstreamConversation",
    "UpstreamSettings",
    "advice_by_words",
    "call_is_due",
    "cut_off",
    "decode",
    "no_call",
    "outgoing_headers",
    "read_events",
    "retry_after",
    "stated_error",
    "token_count",
]
