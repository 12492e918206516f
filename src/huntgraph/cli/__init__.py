"""The command line of huntgraph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit status."""
    import sys

    from huntgraph.cli.run import run

    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
