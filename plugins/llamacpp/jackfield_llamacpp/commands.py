"""The command ``jackfield pull``."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from jackfield import JackfieldError
from jackfield_llamacpp.catalogue import CATALOGUE, Model, find
from jackfield_llamacpp.fetch import find_tools
from jackfield_llamacpp.pull import pull
from jackfield_llamacpp.store import is_intact, megabytes, models_folder

__all__ = ["pull_command"]


def pull_command(catalogue: Sequence[Model] = CATALOGUE) -> click.Command:
    """Make the ``pull`` command for the models of ``catalogue``."""

    @click.command("pull", short_help="Fetch the model of conversation.llamacpp.")
    @click.argument("name", required=False)
    @click.option(
        "--list", "listing", is_flag=True, help="List the models, their sizes and licences, and which are here."
    )
    @click.option("--path", "only_path", is_flag=True, help="Print where the model's file is, and fetch nothing.")
    @click.option(
        "--to",
        type=click.Path(file_okay=False, path_type=Path),
        help="The folder to keep models in. Default: models/ in JACKFIELD_DATA, or in the user's data folder.",
    )
    def command(name: str | None, *, listing: bool, only_path: bool, to: Path | None) -> None:
        """Fetch the model NAME for conversation.llamacpp, check its sha256 and keep it.

        Without NAME, list the models. A model that is here already is checked and left alone.
        """
        folder = to.expanduser() if to else models_folder(os.environ)
        if listing or name is None:
            for model in catalogue:
                click.echo(_line(model, folder))
            return
        try:
            model = find(name, catalogue)
        except LookupError as error:
            raise click.ClickException(str(error)) from None
        if only_path:
            if not (folder / model.file_name).is_file():
                raise click.ClickException(f"{model.name} is not in {folder}; run `jackfield pull {model.name}`")
            click.echo(folder / model.file_name)
            return
        _pull(model, folder, own_folder=to is not None)

    return command


def _pull(model: Model, folder: Path, *, own_folder: bool) -> None:
    try:
        with _stopped_like_ctrl_c():
            file = pull(
                model,
                folder,
                tools=find_tools(os.environ),
                environment=os.environ,
                say=click.echo,
                progress=_progress,
            )
    except JackfieldError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{model.name} could not be kept in {folder}: {error.strerror or error}") from error
    if own_folder:
        click.echo(f"Manifests find it there by `path: {file}`; `model: {model.name}` looks in the data folder only.")


def _line(model: Model, folder: Path) -> str:
    file = folder / model.file_name
    state = "not here" if not file.exists() else "here" if is_intact(file, model) else "here, but not the pinned file"
    return f"{model.name}  {megabytes(model.gguf_bytes)}  {model.licence}  {state}  {model.title}"


@contextmanager
def _progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    with click.progressbar(length=total, label=label) as bar:
        # Scratch files can outgrow the download for a moment; a bar never goes back or over its end.
        yield lambda done: bar.update(max(0, min(done, total) - bar.pos))


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does; by default it would end the process where it stands."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
