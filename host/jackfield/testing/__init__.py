"""What tests of plugins and of apps need: a conformance kit, servers that speak providers' APIs, and a running host.

A plugin's ``conftest.py``, or the test itself, says ``pytest_plugins = ["jackfield.testing"]``. Nothing else in
``jackfield`` imports this package, and it is the only one that needs pytest. (A test may import it before
pytest is told of it, and there are no assertions in this module: PYTEST_DONT_REWRITE.)
"""

from __future__ import annotations

from jackfield.testing.canned import CannedHost, host
from jackfield.testing.chat_completions import ChatCompletions, chat
from jackfield.testing.checking import CAPABILITIES
from jackfield.testing.dialect import Dialect, cut
from jackfield.testing.kit import ConversationKit
from jackfield.testing.messages import Messages, named_events
from jackfield.testing.plugin import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_makereport,
)
from jackfield.testing.running import RunningHost
from jackfield.testing.script import Cut, Fail, Hang, Raw, Refused, Reply, Say, Script, obliging, say
from jackfield.testing.upstream import Behaviour, Exchange, FakeUpstream, event_stream, hang, reset

__all__ = [
    "CAPABILITIES",
    "Behaviour",
    "CannedHost",
    "ChatCompletions",
    "ConversationKit",
    "Cut",
    "Dialect",
    "Exchange",
    "Fail",
    "FakeUpstream",
    "Hang",
    "Messages",
    "Raw",
    "Refused",
    "Reply",
    "RunningHost",
    "Say",
    "Script",
    "chat",
    "cut",
    "event_stream",
    "hang",
    "host",
    "named_events",
    "obliging",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_makereport",
    "reset",
    "say",
]
