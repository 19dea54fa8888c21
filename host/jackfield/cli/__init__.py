"""The ``jackfield`` command."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; every failure that the host foresees is one line on standard error and exit code 1."""
    import click

    from jackfield.cli.daprd import go_flags
    from jackfield.cli.group import cli
    from jackfield.errors import JackfieldError

    try:
        # Outside its standalone mode click gives back the code of an Exit that a command raised.
        sys.exit(cli.main(args=go_flags(sys.argv[1:]), prog_name="jackfield", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output, such as head, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except JackfieldError as error:
        sys.stderr.write(f"jackfield: {error}\n")
        sys.exit(1)
