"""``jackfield init`` writes a first manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import click

from jackfield.cli.plugin_options import load_chosen
from jackfield.errors import ConfigurationError
from jackfield.manifests.folder import read_file
from jackfield.manifests.listing import list_folder

__all__ = ["init"]

_NAME = "llm"
_EMBEDDED = """\
# A model of 135 million parameters that runs inside the host. It answers offline and on any CPU; it proves that
# everything works and is no source of knowledge. Fetch it once with: jackfield pull smollm2
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: llm
spec:
  type: conversation.llamacpp
  version: v1
  initTimeout: 60s
  metadata:
  - name: model
    value: smollm2
"""
_ECHO = """\
# Answers with what it is asked, for trying out clients without a model.
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: llm
spec:
  type: conversation.echo
  version: v1
"""
_REAL = """\

# For a real model put this in the place of the component above. A change takes effect while the host runs.
#
# apiVersion: dapr.io/v1alpha1
# kind: Component
# metadata:
#   name: llm
# spec:
#   type: conversation.openai # for every server that speaks OpenAI's API; its plugin: jackfield install openai
#   version: v1
#   metadata:
#   - name: model
#     value: gpt-5-mini
#   # - name: endpoint # for another server than OpenAI's
#   #   value: http://localhost:8000/v1
#   - name: key
#     envRef: OPENAI_API_KEY # from the host's environment, or from a file with: jackfield serve --env-file .env
#
# Or take the key from a secret store: put a secretKeyRef in the place of the envRef, and below the manifest's last line
# the store's name and its own manifest.
#
#     secretKeyRef: {name: openai-key}
# auth:
#   secretStore: secrets
# ---
# apiVersion: dapr.io/v1alpha1
# kind: Component
# metadata:
#   name: secrets
# spec:
#   type: secretstores.local.file
#   version: v1
#   metadata:
#   - name: secretsFile
#     value: secrets.json # {"openai-key": "..."}
"""


@click.command()
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("manifests"),
    show_default=True,
    metavar="DIR",
    help="The folder of manifests; it is made if it isn't there.",
)
def init(*, to: Path) -> None:
    """Write a first manifest, llm.yaml, for a small model that runs inside the host.

    Its comments show the manifest of a real one. Nothing is ever overwritten.
    """
    file = to / "llm.yaml"
    if file.exists():
        raise _taken(file)
    for place in _defined(to):
        raise ConfigurationError(f"{place} defines a component {_NAME} already; nothing is written")
    types = load_chosen().component_types().names
    embedded = "conversation.llamacpp" in types
    try:
        to.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write((_EMBEDDED if embedded else _ECHO) + _REAL)
    except FileExistsError:
        raise _taken(file) from None
    except OSError as error:
        raise ConfigurationError(f"{file} can't be written ({error.strerror}); name another folder with --to") from None
    click.echo(f"wrote {file}")
    for line in _next(to, types=types, embedded=embedded):
        click.echo(line)


def _taken(file: Path) -> ConfigurationError:
    return ConfigurationError(f"{file} exists and stays as it is; delete it or name another folder with --to")


def _next(to: Path, *, types: tuple[str, ...], embedded: bool) -> Iterator[str]:
    """What to do now."""
    if not embedded:
        yield "The plugin llamacpp is not installed, so the component llm only echoes what it is asked."
    yield "Next:"
    if embedded:
        yield "  jackfield pull smollm2"
    elif "conversation.echo" not in types:
        yield "  jackfield install echo"
    yield "  jackfield serve" if to == Path("manifests") else f"  jackfield serve --manifests {quote(str(to))}"
    yield f"  jackfield converse {_NAME} 'Hello!'"


def _defined(folder: Path) -> Iterator[str]:
    """Say where the component is defined already: one name twice would serve neither."""
    for path in list_folder(str(folder)).files:
        try:
            state = read_file(path, Path(path).read_bytes(), app_id="", namespace=None)
        except OSError:
            continue  # what can't be read now is the host's to complain of
        for manifest in (*state.documents, *state.excluded):
            if manifest.name == _NAME:
                yield manifest.place
