"""Where credentials and the region come from, against local servers for Bedrock and for STS."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from jackfield import ConversationRequest, InvokeError, ProviderError, ProviderUnreachable
from jackfield.testing import Exchange, FakeUpstream, Script, say
from jackfield_bedrock import BedrockConversation
from jackfield_bedrock.testing import Converse

Opened = Callable[..., AbstractAsyncContextManager[BedrockConversation]]
Asked = Callable[..., ConversationRequest]

ROLE = "arn:aws:iam::123456789012:role/converser"


def signed_by(exchange: Exchange) -> str:
    """Return the access key id and the region of a request's signature."""
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/bedrock/", exchange.headers["authorization"])
    assert found is not None
    return f"{found[1]} {found[2]}"


class Sts:
    """STS: gives out credentials, each call new ones, that expire after a while."""

    def __init__(self, *, seconds: float = 3600.0, refuses: bool = False) -> None:
        self.seconds = seconds
        self.refuses = refuses
        self.calls = 0

    async def __call__(self, exchange: Exchange) -> None:
        asked = parse_qs(exchange.data.decode())
        assert asked["Action"] == ["AssumeRole"]
        assert asked["RoleArn"] == [ROLE]
        assert asked["RoleSessionName"] == ["jackfield-llm"]
        self.calls += 1
        if self.refuses:
            error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error>"
            body = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
            await exchange.send(403, body.encode(), {"Content-Type": "text/xml"})
            return
        expires = (datetime.now(UTC) + timedelta(seconds=self.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = (
            f"<AccessKeyId>ASIAROLE{self.calls}</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"
            f"<SessionToken>role-token-{self.calls}</SessionToken><Expiration>{expires}</Expiration>"
        )
        body = f"<AssumeRoleResponse><AssumeRoleResult><Credentials>{keys}</Credentials></AssumeRoleResult>"
        await exchange.send(200, f"{body}</AssumeRoleResponse>".encode(), {"Content-Type": "text/xml"})


def ask_once(opened: Opened, asked: Asked, environment: dict[str, str] | None = None, **settings: Any) -> Exchange:
    """Ask one question, and return the request as the server saw it."""

    async def run() -> Exchange:
        script = Script(Converse(), replies=deque([say("hi")]))
        async with (
            FakeUpstream(script) as server,
            opened(environment, endpoint=server.address, **settings) as component,
        ):
            await component.converse(asked())
            return server.requests[0]

    return asyncio.run(run())


def from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "environment-secret")


def test_static_pair(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest's key comes before all else: environment, bearer token and role."""
    from_environment(monkeypatch)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bearer-token")
    environment = {"AWS_BEARER_TOKEN_BEDROCK": "bearer-token"}
    seen = ask_once(opened, asked, environment, sessionToken="session-1", assumeRoleArn=ROLE)
    assert signed_by(seen) == "AKIAQUITESECRET01234 eu-central-1"
    assert seen.headers["x-amz-security-token"] == "session-1"


def test_environment(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key in the manifest the process's environment has one."""
    from_environment(monkeypatch)
    seen = ask_once(opened, asked, accessKey=None, secretKey=None)
    assert signed_by(seen) == "AKIAENVIRONMENT eu-central-1"
    assert "x-amz-security-token" not in seen.headers


def test_bearer_token(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Bedrock API key in the environment does without an access key."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bearer-token")
    environment = {"AWS_BEARER_TOKEN_BEDROCK": "bearer-token"}
    seen = ask_once(opened, asked, environment, accessKey=None, secretKey=None)
    assert seen.headers["authorization"] == "Bearer bearer-token"


def test_profile(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile has key and region, and comes before the environment's key."""
    from_environment(monkeypatch)
    file = tmp_path / "config"
    file.write_text(
        "[profile work]\nregion = ap-south-1\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile-secret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    seen = ask_once(opened, asked, accessKey=None, secretKey=None, region=None, profile="work")
    assert signed_by(seen) == "AKIAPROFILE ap-south-1"


def test_unknown_profile(opened: Opened, asked: Asked) -> None:
    """A profile that isn't there is named, with the setting."""
    with pytest.raises(ValueError, match=r"profile: .*\(nobody\).*name one of"):
        ask_once(opened, asked, accessKey=None, secretKey=None, profile="nobody")


def test_no_credentials(opened: Opened, asked: Asked) -> None:
    """A component without any credentials isn't started, and the text names what to set."""
    with pytest.raises(ValueError, match="no AWS credentials; set accessKey and secretKey, assumeRoleArn or profile"):
        ask_once(opened, asked, accessKey=None, secretKey=None)


def test_roles_anywhere(opened: Opened, asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    """The settings of IAM Roles Anywhere are accepted, and the log says that they have no effect."""
    trust: dict[str, Any] = {"trustAnchorArn": "arn:aws:rolesanywhere:a", "trustProfileArn": "arn:aws:rolesanywhere:p"}
    ask_once(opened, asked, **trust)
    assert "trustAnchorArn and trustProfileArn have no effect" in caplog.text
    with pytest.raises(ValueError, match=r"no AWS credentials.*IAM Roles Anywhere\) have no effect"):
        ask_once(opened, asked, accessKey=None, secretKey=None, **trust)


@pytest.mark.parametrize(("seconds", "roles"), [(3600.0, 1), (60.0, 2)], ids=["kept", "renewed"])
def test_role(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch, seconds: float, roles: int) -> None:
    """A role is assumed with the chain's credentials when it is needed, and again before its own expire."""
    from_environment(monkeypatch)
    sts = Sts(seconds=seconds)

    async def run() -> None:
        async with (
            FakeUpstream(Script(Converse())) as server,
            FakeUpstream(sts) as giver,
            opened(
                endpoint=server.address,
                stsEndpoint=giver.address,
                assumeRoleArn=ROLE,
                accessKey=None,
                secretKey=None,
            ) as component,
        ):
            assert sts.calls == 0
            await component.converse(asked())
            await component.converse(asked())
            assert "Credential=AKIAENVIRONMENT/" in giver.requests[0].headers["authorization"]
            assert [signed_by(seen) for seen in server.requests] == [
                "ASIAROLE1 eu-central-1",
                f"ASIAROLE{roles} eu-central-1",
            ]
            assert server.requests[1].headers["x-amz-security-token"] == f"role-token-{roles}"

    asyncio.run(run())
    assert sts.calls == roles


def test_role_refused(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role that can't be assumed is told as such, with the setting."""
    from_environment(monkeypatch)

    async def run() -> None:
        async with (
            FakeUpstream(Sts(refuses=True)) as giver,
            opened(
                endpoint="http://127.0.0.1:9",
                stsEndpoint=giver.address,
                assumeRoleArn=ROLE,
                accessKey=None,
                secretKey=None,
            ) as component,
        ):
            with pytest.raises(
                ProviderError, match=r"the role of assumeRoleArn can't be assumed: .*403.*not you"
            ) as told:
                await component.converse(asked())
            assert told.value.status == 403

    asyncio.run(run())


def test_sts_unreachable(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """An STS that can't be reached is named itself, with its own setting."""
    from_environment(monkeypatch)

    async def run() -> None:
        async with FakeUpstream(Sts()) as gone:
            address = gone.address
        settings = {"stsEndpoint": address, "assumeRoleArn": ROLE, "accessKey": None, "secretKey": None}
        async with FakeUpstream(Script(Converse())) as server, opened(endpoint=server.address, **settings) as component:
            with pytest.raises(ProviderUnreachable, match=f"API server 127.0.0.1:{gone.port}: .*; check stsEndpoint"):
                await component.converse(asked())

    asyncio.run(run())


def test_role_without_source(opened: Opened, asked: Asked) -> None:
    """A role needs credentials to be assumed with; the text names the fix."""

    async def run() -> None:
        settings = {"stsEndpoint": "http://127.0.0.1:9", "assumeRoleArn": ROLE, "accessKey": None, "secretKey": None}
        async with opened(endpoint="http://127.0.0.1:9", **settings) as component:
            with pytest.raises(InvokeError, match="no AWS credentials; set accessKey"):
                await component.converse(asked())

    asyncio.run(run())


ARN = "arn:aws:bedrock:us-west-2:123456789012:inference-profile/global.amazon.nova-2-lite-v1:0"


@pytest.mark.parametrize(
    ("settings", "environment", "region"),
    [
        ({"region": "eu-west-3", "model": ARN}, {"AWS_REGION": "sa-east-1"}, "eu-west-3"),
        ({"region": None, "model": ARN}, {"AWS_REGION": "sa-east-1"}, "us-west-2"),
        ({"region": None}, {"AWS_REGION": "sa-east-1", "AWS_DEFAULT_REGION": "us-east-2"}, "sa-east-1"),
        ({"region": None}, {"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({"region": None}, {}, "us-east-1"),
    ],
    ids=["manifest", "model", "AWS_REGION", "AWS_DEFAULT_REGION", "emulator"],
)
def test_region(
    opened: Opened, asked: Asked, settings: dict[str, object], environment: dict[str, str], region: str
) -> None:
    """The region is the manifest's, else the model's, else the environment's; an emulator needs none."""
    assert signed_by(ask_once(opened, asked, environment, **settings)).endswith(f" {region}")


@pytest.mark.parametrize(
    ("region", "cause"),
    [(None, "no AWS region; add an item `name: region`"), ("europe", "region: 'europe' is no AWS region")],
)
def test_bad_region(opened: Opened, region: str | None, cause: str) -> None:
    """A component without a region, or with one that can't be, isn't started, and the text names the setting."""

    async def run() -> None:
        async with opened(region=region):
            pass

    with pytest.raises(ValueError, match=cause):
        asyncio.run(run())
