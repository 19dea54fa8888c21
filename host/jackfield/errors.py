"""Every error the host raises, drawn as one tree.

::

    JackfieldError
    ├── RequestError                 an answer to one request; ``ERROR_CODES`` maps it to HTTP and gRPC
    │   ├── ComponentNotFound        400  ERR_CONVERSATION_NOT_FOUND
    │   ├── InvalidParameters        400  ERR_CONVERSATION_INVALID_PARMS
    │   ├── MissingInputs            400  ERR_CONVERSATION_MISSING_INPUTS
    │   ├── MalformedRequest         400  ERR_MALFORMED_REQUEST
    │   ├── BodyUnreadable           400  ERR_BODY_READ
    │   ├── Unauthorized             401  ERR_UNAUTHENTICATED
    │   ├── HostFault                500  ERROR
    │   └── InvokeError              500  ERR_CONVERSATION_INVOKE
    │       ├── ProviderError        the provider answered with an error status or with nonsense
    │       ├── ProviderUnreachable  no connection, or it broke before the reply was whole
    │       ├── ProviderTimeout      a time limit ran out
    │       ├── ScrubberMissing      scrubbing was asked for and nothing can do it
    │       ├── BreakerOpen          a circuit breaker lets no call through at the moment
    │       └── Overloaded           the component's ``maxConcurrency`` is used up
    ├── ConfigurationError           the host can't start as it was asked to
    ├── ManifestError                one or more ``Problem``s in manifests
    ├── InvalidSetting               a setting that can be read has a value that can't be used
    │   └── NoSuchComponent          it names a component that isn't there, or is of another kind
    ├── SecretNotFound               a secret store has no such secret
    ├── PluginError                  a plugin broke a rule of the plugin interface
    └── ServiceFailed                a plugin's service can't start

The codes and message formats of ``RequestError`` are those of Dapr's conversation API (contract sheet, section 1.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from jackfield.problems import Problem

__all__ = [
    "ERROR_CODES",
    "BodyUnreadable",
    "BreakerOpen",
    "ComponentNotFound",
    "ConfigurationError",
    "ErrorCode",
    "HostFault",
    "InvalidParameters",
    "InvalidSetting",
    "InvokeError",
    "JackfieldError",
    "MalformedRequest",
    "ManifestError",
    "MissingInputs",
    "NoSuchComponent",
    "Overloaded",
    "PluginError",
    "Problem",
    "ProviderError",
    "ProviderTimeout",
    "ProviderUnreachable",
    "RequestError",
    "ScrubberMissing",
    "SecretNotFound",
    "ServiceFailed",
]


class JackfieldError(Exception):
    """The root of every error that the host raises on purpose."""


class ErrorCode(NamedTuple):
    """How one kind of ``RequestError`` is told to a client."""

    code: str
    http_status: int
    grpc_status: str


class RequestError(JackfieldError):
    """The reason why one request failed, told to its caller.

    Args:
        detail: what went wrong and what to do about it. It reaches the caller, never a log.
        component: the component's name; front ends that know it fill it in with ``named``.
    """

    format: ClassVar[str] = "{detail}"

    def __init__(self, detail: str = "", *, component: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.component = component

    def named(self, component: str) -> RequestError:
        """Fill in the component's name unless it is known already, and return the error itself."""
        self.component = self.component or component
        return self

    @property
    def message(self) -> str:
        """The text of the reply's ``message`` field."""
        return self.format.format(component=self.component, detail=self.detail)

    def __str__(self) -> str:
        return self.message


class ComponentNotFound(RequestError):
    """No component of that name serves; ``detail`` says why when the host knows."""

    @property
    def message(self) -> str:
        """Dapr's text, followed by the cause when a manifest of that name failed."""
        text = f"failed finding conversation component {self.component}"
        return f"{text}: {self.detail}" if self.detail else text


class InvalidParameters(RequestError):
    """The request can be read but asks for something that can't be done."""

    format = "failed conversing with component {component}: invalid params: {detail}"


class MissingInputs(RequestError):
    """The request has no inputs."""

    format = "failed conversing with component {component}: missing inputs in request"


class MalformedRequest(RequestError):
    """The body is not the JSON that the API describes."""

    format = "failed deserializing HTTP body: {detail}"


class BodyUnreadable(RequestError):
    """The body is larger than allowed, or did not arrive."""

    format = "failed to read request body: {detail}"


class Unauthorized(RequestError):
    """The caller has no token or a wrong one. Dapr's own routes answer with a plain text in its place."""

    format = "invalid api token"


class HostFault(RequestError):
    """A fault of the host itself, or of a plugin's dialect; ``detail`` is the exception's type and nothing else."""

    format = "internal error: {detail}"


class InvokeError(RequestError):
    """The component could not answer a request that was in order."""

    format = "failed conversing with component {component}: {detail}"


class ProviderError(InvokeError):
    """The provider answered with an error, or with something that is no answer.

    Args:
        detail: the provider's own words, for the caller alone.
        status: the provider's HTTP status, if it gave one.
        retry_after: seconds after which the provider wants to be asked again, if it said so.
    """

    def __init__(self, detail: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after


class ProviderUnreachable(InvokeError):
    """The provider could not be reached, or its connection broke before the reply was whole."""


class ProviderTimeout(InvokeError):
    """A time limit ran out while waiting for the provider."""


class ScrubberMissing(InvokeError):
    """Scrubbing was asked for and no scrubber has done it: the request is refused, not sent unscrubbed."""


class BreakerOpen(InvokeError):
    """A circuit breaker of a Resiliency manifest lets no call of the provider through at the moment.

    Args:
        detail: which breaker it is, and until when.
        retry_after: seconds until it lets the next call through; None if that hangs on trial calls that still run.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Overloaded(InvokeError):
    """The component answers as many requests as its manifest allows."""


ERROR_CODES: dict[type[RequestError], ErrorCode] = {
    ComponentNotFound: ErrorCode("ERR_CONVERSATION_NOT_FOUND", 400, "INVALID_ARGUMENT"),
    InvalidParameters: ErrorCode("ERR_CONVERSATION_INVALID_PARMS", 400, "INVALID_ARGUMENT"),
    MissingInputs: ErrorCode("ERR_CONVERSATION_MISSING_INPUTS", 400, "INVALID_ARGUMENT"),
    MalformedRequest: ErrorCode("ERR_MALFORMED_REQUEST", 400, "INVALID_ARGUMENT"),
    BodyUnreadable: ErrorCode("ERR_BODY_READ", 400, "RESOURCE_EXHAUSTED"),
    Unauthorized: ErrorCode("ERR_UNAUTHENTICATED", 401, "UNAUTHENTICATED"),
    HostFault: ErrorCode("ERROR", 500, "INTERNAL"),
    InvokeError: ErrorCode("ERR_CONVERSATION_INVOKE", 500, "INTERNAL"),
}
"""The reply for each kind of error; a subclass that has no row of its own takes its parent's."""


def error_code(error: RequestError) -> ErrorCode:
    """Return the row of ``ERROR_CODES`` that applies to an error."""
    for kind in type(error).__mro__:
        if kind in ERROR_CODES:
            return ERROR_CODES[kind]
    return ERROR_CODES[InvokeError]


class ConfigurationError(JackfieldError):
    """The host can't start as it was asked to; the text names the option and the fix."""


@dataclass(eq=False)
class ManifestError(JackfieldError):
    """One or more problems in a manifest; all of them are known at once."""

    problems: list[Problem] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class InvalidSetting(JackfieldError):
    """A component or a hook can't use a setting, for a reason that its type alone doesn't show.

    Args:
        setting: as the manifest writes it, such as ``cache`` or ``targets[1].name``: the problem is shown at its line.
        cause: what is wrong.
        fix: what to do about it.
    """

    def __init__(self, setting: str, cause: str, fix: str = "") -> None:
        super().__init__(f"{setting}: {cause}" if setting else cause)
        self.setting = setting
        self.cause = cause
        self.fix = fix


class NoSuchComponent(InvalidSetting, LookupError):
    """A setting names a component that isn't there, or that is of another kind.

    Args:
        name: the component that is named; when it is built, this one is built again.
        setting: the setting that names it.
        cause: what is wrong.
        fix: what to do about it.
    """

    def __init__(self, name: str, setting: str, cause: str, fix: str = "") -> None:
        super().__init__(setting, cause, fix)
        self.name = name


class SecretNotFound(JackfieldError):
    """A secret store has no secret of that name; the text names store and secret, never a value."""


class PluginError(JackfieldError):
    """A plugin broke a rule of the plugin interface; the text names the plugin and the rule."""


class ServiceFailed(JackfieldError):
    """A service that ``run_service`` brings can't start; the text says what is wrong and what to do, and is logged.

    Args:
        cause: the text.
        needed: the operator asked for the service, so that the host isn't ready without it; otherwise a warning will
            do.
    """

    def __init__(self, cause: str, *, needed: bool = True) -> None:
        super().__init__(cause)
        self.needed = needed
