"""What this plugin gives the host."""

from __future__ import annotations

import click

from jackfield import RegisterComponents, hookimpl

__all__ = ["register_commands", "register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.llamacpp``; all its components share one pool of engines."""
    from jackfield_llamacpp.component import LlamaCppConversation  # `jackfield --help` needs none of it
    from jackfield_llamacpp.pool import EnginePool

    pool = EnginePool()
    register.conversation(
        "conversation.llamacpp", LlamaCppConversation, factory=lambda build: LlamaCppConversation(build, pool)
    )


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``jackfield pull``."""
    from jackfield_llamacpp.commands import pull_command  # serving needs none of it

    cli.add_command(pull_command())
