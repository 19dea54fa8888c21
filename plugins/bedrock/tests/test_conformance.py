"""The conformance kit."""

from __future__ import annotations

from jackfield.testing import ConversationKit
from jackfield_bedrock.testing import Converse


class TestBedrock(ConversationKit):
    type_name = "conversation.aws.bedrock"
    dialect = Converse
    metadata = {
        "region": "eu-central-1",
        "accessKey": "AKIAQUITESECRET01234",
        "secretKey": "quite-secret-0123456789",
        "model": "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    }
    live = {"accessKey": "AWS_ACCESS_KEY_ID", "secretKey": "AWS_SECRET_ACCESS_KEY"}
    live_metadata = {"region": "us-east-1"}
