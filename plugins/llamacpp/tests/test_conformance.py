"""The conformance kit, with the real model: what needs a scripted upstream is reported as absent."""

from __future__ import annotations

import os

import pytest

from jackfield.testing import ConversationKit


@pytest.mark.usefixtures("model_file")
class TestLlamaCpp(ConversationKit):
    type_name = "conversation.llamacpp"
    metadata = {"parallel": "1", "maxTokens": "8"}
    environment = dict(os.environ)
