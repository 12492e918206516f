"""The reference page of the command line, made from the help pages themselves.

``python -m huntgraph.cli.reference`` prints ``docs/reference/cli.md``.
"""

from __future__ import annotations

import io
import sys

from huntgraph.cli.exits import Exit
from huntgraph.cli.run import application
from huntgraph.cli.verbs import GROUPS, VERBS

__all__ = ["help_text", "reference"]

WIDTH = 100


def help_text(path: str = "") -> str:
    """Give the help page of a verb as plain text, ``""`` for that of the program."""
    from rich.console import Console

    app = application()
    app.help_formatter = "plain"
    page = io.StringIO()
    console = Console(file=page, width=WIDTH, color_system=None, force_terminal=False)
    app.help_print(path.split(), console=console)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()).strip() + "\n"


def reference() -> str:
    """Give the whole page as Markdown."""
    text = ["# The command line", "", "Generated from the help pages: `huntgraph VERB --help`."]
    text += ["", "Data goes to standard output, talk to standard error. Exit statuses:", ""]
    text += ["| status | meaning |", "|---|---|"]
    text += [f"| {status.value} | {meaning} |" for status, meaning in _meanings()]
    for path in ["", *sorted([*GROUPS, *VERBS])]:
        text += ["", f"## huntgraph {path}".rstrip(), "", "```text", _own(help_text(path)), "```"]
    return "\n".join(text) + "\n"


def _meanings() -> list[tuple[Exit, str]]:
    return [
        (Exit.OK, "done"),
        (Exit.FAILED, "it could not be done; the message says why and what to do"),
        (Exit.USAGE, "the command line was wrong"),
        (Exit.PROBLEM, "`doctor` found a problem"),
        (Exit.DIFFERENCE, "a replay, a state hash or a receipt is not what was recorded"),
        (Exit.UNREACHABLE, "no actor, gateway or game server answered"),
        (Exit.INTERRUPTED, "ended by Ctrl-C"),
    ]


def _own(page: str) -> str:
    """Leave out what every page ends with."""
    return page.partition("\nExit status: 0 done")[0].strip()


if __name__ == "__main__":
    sys.stdout.write(reference())
