"""The engine's errors, which it gives as values and as exceptions, in the host's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import InvalidParameters, ProviderError, RequestError

__all__ = ["exception_failure", "value_failure"]

# The engine says this first whenever it refuses a JSON schema.
_NOISE = "Unable to generate parser for this template. Automatic parser generation failed: "


def value_failure(error: Any) -> RequestError:
    """Translate the ``error`` member of an answer: ``{"code": 400, "message": ..., "type": ...}``."""
    if not isinstance(error, Mapping):
        return ProviderError(f"the engine failed: {error}")
    if error.get("type") == "exceed_context_size_error":
        return InvalidParameters(
            f"the conversation has {error.get('n_prompt_tokens')} tokens and the model has room for "
            f"{error.get('n_ctx')}; shorten it, or raise contextSize in the manifest"
        )
    text = str(error.get("message", "")).removeprefix(_NOISE)
    code = error.get("code")
    if code == 400:
        return InvalidParameters(f"the engine refused the request: {text}")
    return ProviderError(f"the engine failed: {text}", status=code if isinstance(code, int) else None)


def exception_failure(error: BaseException) -> RequestError:
    """Translate an exception of the engine: a ValueError is about the request, all else about the engine."""
    text = str(error).removeprefix(_NOISE)
    if isinstance(error, ValueError):
        return InvalidParameters(f"the engine refused the request: {text}")
    return ProviderError(f"the engine failed: {text or type(error).__name__}")
