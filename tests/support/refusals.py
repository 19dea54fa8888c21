"""What the providers' servers write when they refuse, each in its own words and form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jackfield.upstream.advice import CHECK_KEY, CHECK_TOOLS, SEND_LESS, TAKE_ANOTHER

__all__ = ["KEY", "MODEL", "PROVIDERS", "REFUSED", "Provider", "Refusal"]

KEY: Final = "quite-secret-0123456789"
MODEL: Final = "claude-sonnet-5"
REFUSED: Final = ("key", "model", "tool", "length")

_NO_MODEL: Final = f"check model ({MODEL})"
_NOWHERE: Final = f"{_NO_MODEL} and endpoint"
_SCHEMA: Final = "Invalid schema for function 'look': 'banana' is not valid under any of the given schemas"
_LONG: Final = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
_DENIED: Final = "Access denied due to invalid subscription key or wrong API endpoint."


@dataclass(frozen=True)
class Refusal:
    """A server's answer, and what the caller is told to do about it."""

    status: int
    body: Any
    todo: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Provider:
    """A component type with the items of a manifest that works, and its server's refusals by ``REFUSED``.

    Attributes:
        type_name: the component type.
        refusals: what its server says to each of ``REFUSED``.
        items: the manifest's metadata, the endpoint apart.
        path: what follows the server's address in an endpoint.
        key: the item that holds the key.
        without_key: what is said of a manifest without it; empty for a type that needs none.
    """

    type_name: str
    refusals: tuple[Refusal, Refusal, Refusal, Refusal]
    items: Mapping[str, str] = field(default_factory=lambda: {"key": KEY, "model": MODEL})
    path: str = "/v1"
    key: str = "key"
    without_key: str = "spec.metadata.key: is missing"


def _error(message: str, code: str | int | None = None, **members: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code, **members}}


def _claude(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def _aws(status: int, code: str, message: str, todo: str) -> Refusal:
    return Refusal(status, {"message": message}, todo, {"x-amzn-ErrorType": code})


def _google(status: int, message: str, todo: str) -> Refusal:
    return Refusal(status, [{"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT"}}], todo)


_CLAUDE: Final = (
    Refusal(404, _claude("not_found_error", f"model: {MODEL}"), _NOWHERE),
    Refusal(400, _claude("invalid_request_error", "tools.0.custom.input_schema: JSON schema is invalid"), CHECK_TOOLS),
    Refusal(400, _claude("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), SEND_LESS),
)
_OPENAI: Final = (Refusal(400, _error(_SCHEMA), CHECK_TOOLS), Refusal(400, _error(_LONG), SEND_LESS))
_FOUND: Final = [{"type": "dict_type", "loc": ["body", "tools", 0, "function", "parameters"], "msg": "not valid"}]

PROVIDERS: Final[Mapping[str, Provider]] = {
    "openai": Provider(
        "conversation.openai",
        (
            Refusal(401, _error(f"Incorrect API key provided: {KEY}.", "invalid_api_key"), CHECK_KEY),
            Refusal(404, _error(f"The model `{MODEL}` does not exist or you do not have access to it."), _NOWHERE),
            *_OPENAI,
        ),
    ),
    "azure": Provider(
        "conversation.openai",
        (
            Refusal(401, {"error": {"code": "401", "message": _DENIED}}, CHECK_KEY),
            Refusal(404, _error("The API deployment for this resource does not exist.", "NoDeployment"), _NOWHERE),
            *_OPENAI,
        ),
        {"key": KEY, "model": MODEL, "apiType": "azure", "apiVersion": "2024-10-21"},
        path="",
    ),
    "anthropic": Provider(
        "conversation.anthropic",
        (Refusal(401, _claude("authentication_error", "invalid x-api-key"), CHECK_KEY), *_CLAUDE),
    ),
    "foundry": Provider(
        "conversation.anthropic",
        (Refusal(401, {"error": {"code": "401", "message": _DENIED}}, CHECK_KEY), *_CLAUDE),
        {"key": KEY, "model": MODEL, "apiType": "foundry"},
        path="/anthropic/v1",
    ),
    "bedrock": Provider(
        "conversation.aws.bedrock",
        (
            _aws(
                403,
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
                "check accessKey, secretKey and sessionToken, and that they belong to the partition of region",
            ),
            _aws(
                400,
                "ValidationException",
                "The provided model identifier is invalid.",
                "check model and region; some models are reached by the id of an inference profile alone",
            ),
            _aws(400, "ValidationException", "toolConfig.tools.0.toolSpec.inputSchema.json is invalid", CHECK_TOOLS),
            _aws(400, "ValidationException", "Input is too long for requested model.", SEND_LESS),
        ),
        {"region": "eu-central-1", "accessKey": "AKIAQUITESECRET01234", "secretKey": KEY, "model": MODEL},
        path="",
        key="accessKey",
        without_key="secretKey is set without accessKey",
    ),
    "deepseek": Provider(
        "conversation.deepseek",
        (
            Refusal(401, _error(f"Authentication Fails, Your api key: {KEY} is invalid"), CHECK_KEY),
            Refusal(400, _error("Model Not Exist"), _NO_MODEL),
            *_OPENAI,
        ),
    ),
    "googleai": Provider(
        "conversation.googleai",
        (
            _google(400, "API key not valid. Please pass a valid API key.", CHECK_KEY),
            _google(404, f"models/{MODEL} is not found for API version v1main.", _NOWHERE),
            _google(400, "* GenerateContentRequest.tools[0].function_declarations[0].parameters: bad", CHECK_TOOLS),
            _google(400, "The input token count (9) exceeds the maximum number of tokens allowed (8).", SEND_LESS),
        ),
        path="/v1beta/openai",
    ),
    "huggingface": Provider(
        "conversation.huggingface",
        (
            Refusal(401, {"error": "Invalid username or password."}, CHECK_KEY),
            Refusal(400, _error(f"The requested model '{MODEL}' does not exist", "model_not_found"), _NO_MODEL),
            Refusal(422, {"error": "Input validation error: tools[0].function.parameters"}, CHECK_TOOLS),
            Refusal(422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096."}, SEND_LESS),
        ),
    ),
    "mistral": Provider(
        "conversation.mistral",
        (
            Refusal(401, {"detail": "Unauthorized"}, CHECK_KEY),
            Refusal(400, {"object": "error", "message": f"Invalid model: {MODEL}", "code": "1500"}, _NO_MODEL),
            Refusal(422, {"object": "error", "message": {"detail": _FOUND}, "type": "bad"}, CHECK_TOOLS),
            Refusal(400, {"object": "error", "message": "Prompt: too large for the context length"}, SEND_LESS),
        ),
    ),
    "ollama": Provider(
        "conversation.ollama",
        (
            Refusal(401, _error("unauthorized"), CHECK_KEY),
            Refusal(404, _error(f'model "{MODEL}" not found, try pulling it first'), _NOWHERE),
            Refusal(400, _error(f"registry.ollama.ai/library/{MODEL} does not support tools"), TAKE_ANOTHER),
            Refusal(400, _error("the input length exceeds the context length"), SEND_LESS),
        ),
        without_key="",
    ),
    "openrouter": Provider(
        "conversation.openrouter",
        (
            Refusal(401, _error("No auth credentials found", 401), CHECK_KEY),
            Refusal(400, _error(f"{MODEL} is not a valid model ID", 400), _NO_MODEL),
            Refusal(400, _error("Provider returned error", 400, metadata={"raw": _SCHEMA}), CHECK_TOOLS),
            Refusal(400, _error(_LONG.replace("model", "endpoint"), 400), SEND_LESS),
        ),
        path="/api/v1",
    ),
}
