"""The client of Bedrock's runtime: session, region, credentials and connection pool.

This is the only module that imports aiobotocore, and it is imported when a component starts, in a thread: the import
takes a fifth of a second, and so does reading the service's model.
"""

# botocore and aiobotocore come without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, Protocol

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioDeferredRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.credentials import CredentialProvider
from botocore.exceptions import BotoCoreError, ProfileNotFound, UnknownRegionError
from botocore.httpsession import where

from jackfield import __version__
from jackfield_bedrock.errors import NO_CREDENTIALS
from jackfield_bedrock.settings import BedrockSettings

__all__ = ["EventStream", "Runtime", "RuntimeClient", "prepare"]

_SERVICE: Final = "bedrock-runtime"
_BEARER_VARIABLE: Final = "AWS_BEARER_TOKEN_BEDROCK"
_EMULATED_REGION: Final = "us-east-1"
_PEM: Final = "-----BEGIN "
_NO_NAME: Final = re.compile(r"[^a-zA-Z0-9_+=,.@-]")


class EventStream(Protocol):
    """A reply as it is written."""

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]: ...

    def close(self) -> None:
        """Close the connection if the reply isn't whole."""


class RuntimeClient(Protocol):
    """What is used of aiobotocore's client."""

    meta: Any

    async def converse(self, **parameters: Any) -> dict[str, Any]:
        """Call ``Converse``."""

    async def converse_stream(self, **parameters: Any) -> dict[str, Any]:
        """Call ``ConverseStream``; the member ``stream`` is an ``EventStream``."""


class Runtime:
    """Everything that a component needs of AWS; make it with ``prepare`` and open it in the event loop.

    Args:
        settings: the component's settings.
        session: the session of its own, with the service's model read.
        region: the region.
        verify: the path of the certificates to trust, None for the usual ones.
    """

    def __init__(self, settings: BedrockSettings, session: AioSession, region: str, verify: str | None) -> None:
        self._settings = settings
        self._session = session
        self._verify = verify
        self._stack = AsyncExitStack()
        self.region = region
        self.address = ""
        self.client: RuntimeClient | None = None

    async def open(self, name: str, environment: Mapping[str, str]) -> None:
        """Find credentials and make the client; nothing is sent to Bedrock yet.

        Args:
            name: the component's name, which AWS's logs show as the session's if a role is assumed.
            environment: where a bearer token may stand.

        Raises:
            ValueError: there are no credentials, or a setting can't be used; the text names the fix.
        """
        try:
            await self._open(name, environment)
        except ProfileNotFound as error:
            raise _no_profile(error) from None
        except BotoCoreError as error:
            raise ValueError(f"AWS's client can't be made: {error}") from None

    async def _open(self, name: str, environment: Mapping[str, str]) -> None:
        settings = self._settings
        keys: dict[str, Any] = {}
        signature: dict[str, Any] = {"signature_version": "v4"}  # else a bearer token in the environment would win
        if settings.static:
            keys = {
                "aws_access_key_id": settings.access_key.get_secret_value(),
                "aws_secret_access_key": settings.secret_key.get_secret_value(),
                "aws_session_token": settings.session_token.get_secret_value() or None,
            }
        elif settings.assume_role_arn:
            role = _Role(settings, self.region, self._verify, f"jackfield-{name}"[:64])
            self._session.get_component("credential_provider").providers.insert(0, role)
        elif environment.get(_BEARER_VARIABLE) and not settings.profile:
            signature = {}
        elif await self._session.get_credentials() is None:
            raise ValueError(_no_credentials(settings))
        config = _config(settings, max_pool_connections=0, parameter_validation=False, **signature)
        client: RuntimeClient = await self._stack.enter_async_context(
            self._session.create_client(
                _SERVICE,
                region_name=self.region,
                endpoint_url=settings.endpoint or None,
                verify=self._verify,
                config=config,
                **keys,
            )
        )
        self.client, self.address = client, str(client.meta.endpoint_url)

    async def close(self) -> None:
        """Close every connection; harmless a second time."""
        self.client = None
        await self._stack.aclose()
        if self._verify is not None:
            Path(self._verify).unlink(missing_ok=True)  # noqa: ASYNC240  a local file, removed in microseconds
            self._verify = None


def prepare(settings: BedrockSettings, environment: Mapping[str, str]) -> Runtime:
    """Read what has to be read from disk; call it in a thread.

    Raises:
        ValueError: there is no region or no such profile, or the certificates can't be used.
    """
    session = AioSession(profile=settings.profile or None)
    session.user_agent_name = "jackfield"
    session.user_agent_version = __version__
    try:
        session.warm_up_loader_caches(_SERVICE)
        if settings.assume_role_arn and not settings.static:
            session.warm_up_loader_caches("sts")
        region = _region(settings, environment, session)
    except ProfileNotFound as error:
        raise _no_profile(error) from None
    except BotoCoreError as error:
        raise ValueError(f"AWS's configuration can't be read: {error}") from None
    return Runtime(settings, session, region, _bundle(settings.ca_cert) if settings.ca_cert else None)


def _config(settings: BedrockSettings, **more: Any) -> AioConfig:
    # The host's resilience repeats calls, so botocore doesn't. Parameters are checked in the tests against the
    # service's model; botocore's own check would quote message text in its errors.
    return AioConfig(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.silence_timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
        **more,
    )


def _region(settings: BedrockSettings, environment: Mapping[str, str], session: AioSession) -> str:
    arn = settings.model.split(":")
    named = arn[3] if settings.model.startswith("arn:") and len(arn) > 5 else ""
    region = (
        settings.region
        or named
        or environment.get("AWS_REGION", "").strip()
        or environment.get("AWS_DEFAULT_REGION", "").strip()
        or session.get_config_variable("region")
        or (_EMULATED_REGION if settings.endpoint else "")
    )
    if not region:
        raise ValueError(
            "no AWS region; add an item `name: region` with a value such as eu-central-1 to spec.metadata, or set"
            " AWS_REGION"
        )
    if not settings.endpoint:
        _check_region(str(region), session)
    return str(region)


def _check_region(region: str, session: AioSession) -> None:
    try:
        session.get_partition_for_region(region)
    except UnknownRegionError:
        raise ValueError(f"region: {region!r} is no AWS region; they are called like eu-central-1") from None


def _no_profile(error: ProfileNotFound) -> ValueError:
    return ValueError(f"profile: {error}; name one of ~/.aws/config, or leave profile and AWS_PROFILE out")


def _no_credentials(settings: BedrockSettings) -> str:
    if settings.trust_anchor_arn or settings.trust_profile_arn:
        return f"{NO_CREDENTIALS}; trustAnchorArn and trustProfileArn (IAM Roles Anywhere) have no effect"
    return NO_CREDENTIALS


def _bundle(ca_cert: str) -> str:
    """Write the usual certificates and the manifest's into a file, as botocore takes nothing else."""
    try:
        own = ca_cert if _PEM in ca_cert else Path(ca_cert).read_text(encoding="ascii")
        ssl.create_default_context().load_verify_locations(cadata=own)
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, FileNotFoundError) else "it holds no valid certificate"
        place = "the PEM text" if _PEM in ca_cert else ca_cert
        raise ValueError(f"caCert: can't use {place}: {cause}; give PEM text or the path of a PEM file") from None
    usual = Path(where()).read_text(encoding="utf-8")
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".pem", delete=False) as file:
        file.write(f"{usual}\n{own}\n")
    return file.name


class _Role(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Gives credentials of a role, and new ones before they expire; AWS's default chain pays for them."""

    METHOD = "jackfield-assume-role"

    def __init__(self, settings: BedrockSettings, region: str, verify: str | None, session_name: str) -> None:
        super().__init__()
        self._settings = settings
        self._region = region
        self._verify = verify
        self._session_name = "".join(
            c if c.isascii() and (c.isalnum() or c in "+=,.@-_") else "-" for c in session_name
        )
        self._source = AioSession(profile=settings.profile or None)

    async def load(self) -> AioDeferredRefreshableCredentials:
        """Give credentials that are fetched when a request needs them."""
        return AioDeferredRefreshableCredentials(refresh_using=self._refresh, method=self.METHOD)

    async def _refresh(self) -> dict[str, str]:
        sts = self._source.create_client(
            "sts",
            region_name=self._region,
            endpoint_url=self._settings.sts_endpoint or None,
            verify=self._verify,
            config=_config(self._settings),
        )
        async with sts as client:
            reply = await client.assume_role(RoleArn=self._settings.assume_role_arn, RoleSessionName=self._session_name)
        given = reply["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }
