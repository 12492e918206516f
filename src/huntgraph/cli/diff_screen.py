"""How a diff is shown on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from huntgraph.timeline.diff import Diff

__all__ = ["show_diff"]

COLOURS: Final = {"+": "green", "-": "red", "~": "yellow", " ": ""}


def show_diff(diff: Diff, *, stat: bool = False, most: int = 20) -> None:
    """Print a diff: counts first, then changes with their sign, coloured on a terminal."""
    from rich.console import Console
    from rich.text import Text

    from huntgraph.timeline.diff_text import diff_lines

    console = Console(highlight=False, soft_wrap=True)
    for line in diff_lines(diff, stat=stat, most=most):
        text = f"{line.sign} {line.text}".rstrip()
        console.print(Text(text, style=COLOURS[line.sign]))
