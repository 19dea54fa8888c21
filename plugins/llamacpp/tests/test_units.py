"""Settings, errors, threads: what has no need of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jackfield import InvalidParameters, ProviderError, RequestError
from jackfield_llamacpp.cores import default_threads
from jackfield_llamacpp.failures import exception_failure, value_failure
from jackfield_llamacpp.settings import LlamaCppSettings
from jackfield_llamacpp.store import models_folder


def test_settings_stand_in_manifests_in_camel_case() -> None:
    """Names and texts as a manifest has them are understood."""
    settings = LlamaCppSettings.model_validate(
        {"model": "SmolLM2", "contextSize": "4096", "cacheRamMib": "0", "maxQueue": "3", "systemPrompt": ""}
    )
    assert (settings.model, settings.context_size, settings.cache_ram_mib) == ("smollm2", 4096, 0)
    assert (settings.max_queue, settings.system_prompt, settings.parallel) == (3, "", 4)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ({"model": "gpt-5"}, "no model 'gpt-5' in the catalogue; it has smollm2; for a GGUF file of your own use path"),
        ({"model": "smollm2", "path": "x.gguf"}, "model and path are both given"),
        ({"contextSize": "12"}, "greater than or equal to 128"),
        ({"parallel": "0"}, "greater than or equal to 1"),
        ({"temprature": "0"}, "Extra inputs are not permitted"),
    ],
)
def test_bad_settings(items: dict[str, str], text: str) -> None:
    """A setting that can't be is an error that says what can."""
    with pytest.raises(ValidationError, match=text):
        LlamaCppSettings.model_validate(items)


@pytest.mark.parametrize(
    ("value", "kind", "text", "status"),
    [
        (
            {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 3021, "n_ctx": 2048, "message": "x"},
            InvalidParameters,
            "3021 tokens and the model has room for 2048",
            None,
        ),
        ({"code": 400, "message": "no"}, InvalidParameters, "the engine refused the request: no", None),
        ({"code": 500, "message": "ouch"}, ProviderError, "the engine failed: ouch", 500),
        ("broken", ProviderError, "the engine failed: broken", None),
    ],
)
def test_error_values(value: Any, kind: type[RequestError], text: str, status: int | None) -> None:
    """Errors that the engine returns are told by whose fault they are."""
    error = value_failure(value)
    assert type(error) is kind
    assert text in error.detail
    assert getattr(error, "status", None) == status


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (ValueError("bad $ref"), InvalidParameters, "the engine refused the request: bad $ref"),
        (RuntimeError("ouch"), ProviderError, "the engine failed: ouch"),
        (MemoryError(), ProviderError, "the engine failed: MemoryError"),
    ],
)
def test_error_exceptions(raised: Exception, kind: type[RequestError], text: str) -> None:
    """Errors that the engine raises are told by whose fault they are."""
    error = exception_failure(raised)
    assert (type(error), error.detail) == (kind, text)


@pytest.mark.parametrize(
    ("siblings", "quota", "expected"),
    [
        (None, None, "each"),
        ("0-127", None, 1),
        (None, "max 100000", "each"),
        (None, "150000 100000", 1),
        (None, "50000 100000", 1),
        ("0-127", "not numbers", 1),
    ],
)
def test_threads(siblings: str | None, quota: str | None, expected: int | str, tmp_path: Path) -> None:
    """The engine gets a thread per physical core of this process, but no more than its container may use."""
    each = default_threads(tmp_path)
    assert 1 <= each <= 8
    for cpu in range(256 if siblings else 0):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{siblings}\n")
    if quota:
        (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
        (tmp_path / "sys/fs/cgroup/cpu.max").write_text(f"{quota}\n")
    assert default_threads(tmp_path) == (each if expected == "each" else expected)


def test_the_data_folder_can_be_chosen(tmp_path: Path) -> None:
    """``JACKFIELD_DATA`` names the folder that has the models; without it they are in the user's own."""
    assert models_folder({"JACKFIELD_DATA": str(tmp_path)}) == tmp_path / "models"
    assert models_folder({}).parts[-2:] == ("jackfield", "models")
