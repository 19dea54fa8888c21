"""What AWS's and botocore's errors mean for a caller: the kind, the cause and the fix.

botocore and aiohttp are imported by the one function that reads their errors, when there is an error to read.
"""

# botocore and aiobotocore come without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jackfield import InvokeError, ProviderError, ProviderTimeout, ProviderUnreachable
from jackfield.upstream import advice_by_words, retry_after

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["NO_CREDENTIALS", "Place", "cut_off", "failure"]

NO_CREDENTIALS: Final = (
    "no AWS credentials; set accessKey and secretKey, assumeRoleArn or profile in spec.metadata, or give the process"
    " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of its container or machine"
)

_LONGEST: Final = 2000
_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"

_STREAM_STATUS: Final[Mapping[str, int]] = {
    "validation": 400,
    "modelStreamError": 424,
    "modelTimeout": 408,
    "throttling": 429,
    "internalServer": 500,
    "serviceUnavailable": 503,
}

_BAD_KEYS: Final = (
    "UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature"
    "|MissingAuthenticationToken"
)
_MODEL_OR_REGION: Final = "check model and region; some models are reached by the id of an inference profile alone"
_HINTS: Final[Mapping[str, str]] = {
    "ExpiredToken": (
        "the session token has expired: renew accessKey, secretKey and sessionToken, or use assumeRoleArn or a role,"
        " which renew themselves"
    ),
    _BAD_KEYS: "check accessKey, secretKey and sessionToken, and that they belong to the partition of region",
    "AccessDenied": (
        "allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on the model, and see that the account has"
        " access to it in this region"
    ),
    "ResourceNotFound": _MODEL_OR_REGION,
}
_MODEL_HINT: Final = re.compile(r"model identifier|on-demand throughput|model ID|inference profile", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a call goes, for the texts of errors.

    Attributes:
        address: the endpoint's address.
        region: the region.
        model: the model.
        connect_seconds: how long a connection may take to make.
        silence_seconds: how long the server may send nothing.
        setting: the setting that names the address.
    """

    address: str
    region: str
    model: str
    connect_seconds: float
    silence_seconds: float
    setting: str = "endpoint"

    @property
    def host(self) -> str:
        """The endpoint's host and port."""
        parts = urlsplit(self.address)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    @property
    def check(self) -> str:
        """What to check if it can't be reached."""
        own = not self.host.partition(":")[0].endswith(_AWS)
        return f"check {self.setting}, and that its server runs" if own else f"check region, which is {self.region!r}"


def failure(error: Exception, place: Place, *, begun: bool = False) -> InvokeError | None:
    """Return what a failed call means; None for an error that is no failure of a call.

    Args:
        error: what aiobotocore raised.
        place: where the call went.
        begun: whether the reply had begun.
    """
    from botocore import exceptions
    from botocore.eventstream import ParserError
    from botocore.parsers import ResponseParserError

    match error:
        case exceptions.ClientError():
            return _refusal(error, place)
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return InvokeError(NO_CREDENTIALS)
        # botocore checks no reply before it reads it, so one that is not Bedrock's fails in many ways.
        case (
            ResponseParserError()
            | ParserError()
            | AttributeError()
            | LookupError()
            | TypeError()
            | ValueError()
            | RecursionError()
        ):
            return ProviderError(f"the reply of {place.host} is none of Bedrock's; check endpoint")
    if (meaning := _network(error, _asked(error, place), begun=begun)) is not None:
        return meaning
    if isinstance(error, exceptions.BotoCoreError):
        return InvokeError(f"{_credentials_hint(error)}{_shortened(str(error))}")
    return None


def _asked(error: Exception, place: Place) -> Place:
    """Return where a call went that failed: to STS, perhaps, on the way to Bedrock."""
    address = str(getattr(error, "kwargs", {}).get("endpoint_url") or "")
    if not urlsplit(address).hostname:
        return place
    elsewhere = replace(place, address=address)
    return place if elsewhere.host == place.host else replace(elsewhere, setting="stsEndpoint")


def _network(error: Exception, place: Place, *, begun: bool) -> InvokeError | None:
    import aiohttp
    from botocore import exceptions

    where = place.host
    match error:
        case exceptions.ConnectTimeoutError() | aiohttp.ConnectionTimeoutError():
            return ProviderTimeout(
                f"request timeout: no connection to {where} within {place.connect_seconds:g} s (connectTimeout);"
                f" {place.check} and network"
            )
        case exceptions.ReadTimeoutError() | TimeoutError():
            return ProviderTimeout(
                f"request timeout: {where} sent nothing for {place.silence_seconds:g} s (silenceTimeout)"
            )
        case exceptions.SSLError():
            return ProviderUnreachable(
                f"network error: no trusted connection to {where}; a certificate of your own authority goes into caCert"
            )
        case exceptions.ProxyConnectionError():
            return ProviderUnreachable(
                f"network error: the proxy on the way to {where} can't be used; check HTTPS_PROXY and NO_PROXY"
            )
        case exceptions.EndpointConnectionError():
            return _unreachable(error, place)
        case exceptions.ConnectionClosedError() | exceptions.HTTPClientError() | aiohttp.ClientError() | OSError():
            moment = "before the reply was whole" if begun else "before a reply came"
            return ProviderUnreachable(f"network error: the connection to {where} broke {moment}")
    return None


def cut_off(place: Place) -> ProviderUnreachable:
    """Make the error for a stream that ended without its end."""
    return ProviderUnreachable(f"network error: the connection to {place.host} broke before the reply was whole")


def _unreachable(error: Any, place: Place) -> InvokeError:
    import aiohttp

    cause = error.kwargs.get("error")
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        why = "its name can't be resolved"
    elif isinstance(cause, aiohttp.ClientConnectorError):
        why = cause.os_error.strerror or "no connection"
    else:
        return ProviderUnreachable(f"network error: the connection to {place.host} broke before a reply came")
    return ProviderUnreachable(f"network error: failed to reach API server {place.host}: {why}; {place.check}")


def _credentials_hint(error: BaseException) -> str:
    words = ("Credential", "Token", "SSO", "Profile", "InfiniteLoop", "Refresh", "Login")
    return "AWS credentials can't be had: " if any(word in type(error).__name__ for word in words) else ""


def _refusal(error: ClientError, place: Place) -> ProviderError:
    reply: Mapping[str, Any] = error.response
    stated = reply.get("Error") or {}
    code, message = str(stated.get("Code") or ""), _shortened(str(stated.get("Message") or "no further explanation"))
    facts = reply.get("ResponseMetadata") or {}
    status = facts.get("HTTPStatusCode") or _STREAM_STATUS.get(code.removesuffix("Exception"))
    role = error.operation_name == "AssumeRole"
    hint = "see that the credentials may assume assumeRoleArn" if role else _hint(code, message)
    what = "the role of assumeRoleArn can't be assumed: " if role else ""
    asked = "" if role else f" (model {place.model!r}, region {place.region!r})"
    text = f"{what}API returned unexpected status code: {status or 'none'}: {code}: {message}{asked}"
    return ProviderError(
        f"{text}; {hint}" if hint else text,
        status=status,
        retry_after=retry_after(facts.get("HTTPHeaders") or {}, now=datetime.now(UTC)),
    )


def _hint(code: str, message: str) -> str:
    for pattern, hint in _HINTS.items():
        if re.search(pattern, code):
            return hint
    if code == "ValidationException" and _MODEL_HINT.search(message):
        return _MODEL_OR_REGION
    return advice_by_words(message) if code == "ValidationException" else ""


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + _ELLIPSIS
