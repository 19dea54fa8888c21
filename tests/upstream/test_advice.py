"""What a caller is told to do about a provider's refusal."""

from __future__ import annotations

import pytest

from jackfield.upstream.advice import CHECK_FORMAT, CHECK_KEY, CHECK_TOOLS, SEND_LESS, TAKE_ANOTHER, advice

MODEL = "check model (small)"


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (401, "Unauthorized", CHECK_KEY),
        (400, "API key not valid. Please pass a valid API key.", CHECK_KEY),
        (403, "Forbidden", "check that key may use this model"),
        (404, "model 'small' not found, try pulling it first", f"{MODEL} and endpoint"),
        (404, "Not Found (asked http://host/chat/completions; check endpoint, which usually ends in /v1)", ""),
        (400, "Model Not Exist", MODEL),
        (400, "Invalid model: small", MODEL),
        (400, "small is not a valid model ID", MODEL),
        (400, "The requested model 'small' does not exist", MODEL),
        (400, "The requested model 'small' is not supported by any provider you have enabled.", MODEL),
        (413, "Payload Too Large", SEND_LESS),
        (400, "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", SEND_LESS),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", SEND_LESS),
        (400, "The input token count (9) exceeds the maximum number of tokens allowed (8).", SEND_LESS),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096.", SEND_LESS),
        (400, "Input is too long for requested model.", SEND_LESS),
        (400, "Invalid schema for function 'look': schema must be a JSON Schema of 'type: \"object\"'", CHECK_TOOLS),
        (400, "tools.0.custom.input_schema: JSON schema is invalid", CHECK_TOOLS),
        (400, "* GenerateContentRequest.tools[0].function_declarations[0].parameters: bad", CHECK_TOOLS),
        (422, '[{"loc":["body","tools",0,"function","parameters"],"msg":"bad"}]', CHECK_TOOLS),
        (400, "toolConfig.tools.0.toolSpec.inputSchema.json.type must be object", CHECK_TOOLS),
        (400, "Invalid schema for response_format 'answer'", CHECK_FORMAT),
        (400, "output_config.format.schema: unsupported keyword", CHECK_FORMAT),
        (400, "library/small does not support tools", TAKE_ANOTHER),
        (400, "Unsupported parameter: 'temperature' is not supported with this model.", ""),
        (400, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.", ""),
        (429, "The model is not available: too many tokens per minute", ""),
        (500, "Invalid model state", ""),
        (None, "the model wrote text in place of the answer; ask a model that calls tools reliably", ""),
    ],
)
def test_advice(status: int | None, said: str, told: str) -> None:
    """The setting or the request's member is named where status or words tell it, and nothing where they don't."""
    assert advice(status, said, "small") == told
