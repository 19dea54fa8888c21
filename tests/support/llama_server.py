"""llama.cpp's own server with the embedded model, in a process of its own: it speaks OpenAI's and Anthropic's API."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from jackfield_llamacpp.catalogue import find
from jackfield_llamacpp.store import models_folder

__all__ = ["MODEL", "running_llama_server"]

MODEL = "smollm2"
_SCRIPT = """
import sys
import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.model_alias, key = sys.argv[1], {sys.argv[2]}, sys.argv[3]
parameters.api_keys, parameters.port = [key], 0
parameters.n_parallel, parameters.n_ctx, parameters.cache_ram_mib = 2, 4096, 16
parameters.use_jinja, parameters.ui, parameters.verbosity = True, False, -1
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def running_llama_server(key: str) -> Iterator[str]:
    """Run the server while the context lasts; gives its address without a path.

    Args:
        key: the API key that it asks for.
    """
    model = models_folder(os.environ) / find(MODEL).file_name
    command = [sys.executable, "-c", _SCRIPT, str(model), MODEL, key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the server did not start"
        try:
            yield address if "://" in address else f"http://{address}"
        finally:
            process.terminate()
