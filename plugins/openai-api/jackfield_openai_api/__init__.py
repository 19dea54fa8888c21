"""OpenAI's chat completions API in front of every component of a Jackfield host."""

from __future__ import annotations

from jackfield_openai_api.dialect import ChatCompletions

__all__ = ["ChatCompletions"]
