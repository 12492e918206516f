"""Running a command line: parsing, errors in four parts, exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from huntgraph.cli.exits import Exit, exit_of
from huntgraph.cli.failures import of_system, of_words
from huntgraph.cli.resident import ask
from huntgraph.cli.verbs import GROUPS, SECTIONS, VERBS, exit_text
from huntgraph.errors import HuntError
from huntgraph.versions import __version__

if TYPE_CHECKING:
    from cyclopts import App, Group

__all__ = ["application", "run"]

DEBUG: Final = "--debug"
_ABOUT: Final = "A live treasure-hunt engine for game servers."
_FIRST: Final = """Examples:
  huntgraph demo
  huntgraph world make town.hgw --edges 100k
  huntgraph serve town.hgw
"""


def application() -> App:
    """Make the tree of commands; a verb's module is imported when the verb is used."""
    from cyclopts import App, Group

    options: dict[str, Any] = {
        "help_format": "plaintext",
        "version_flags": [],
        "suppress_keyboard_interrupt": False,
        "result_action": "return_value",
    }
    epilogue = "\n".join([*exit_text(), f"{DEBUG} with any verb shows the traceback of an error."])
    root = {"help_prologue": _FIRST, "help_epilogue": epilogue, "version_flags": ["--version"]}
    section = _sections()
    flags = {"group_commands": Group.create_ordered("Flags")}
    app = App(name="huntgraph", version=__version__, help=_ABOUT, **options | root | flags)
    groups = {"": app}
    for name, about in GROUPS.items():
        first = [verb.examples[0] for path, verb in VERBS.items() if path.startswith(f"{name} ")]
        prologue = "Examples:\n" + "\n".join(f"  {line}" for line in first) + "\n"
        shown: dict[str, Any] = {"help_prologue": prologue, "group": section[name]}
        groups[name] = App(name=name, help=about, **options | shown)
        app.command(groups[name])
    for path, verb in VERBS.items():
        group, _, name = path.rpartition(" ")
        groups[group].command(
            f"huntgraph.cli.{verb.target}",
            name=name,
            help=verb.help,
            help_prologue=verb.prologue,
            group=None if group else section[name],
        )
    return app


def _sections() -> dict[str, Group]:
    """Give the section of the first help page that each verb and group of verbs stands in."""
    from cyclopts import Group

    return {
        name: section
        for title, names in SECTIONS.items()
        for section in [Group.create_ordered(title)]
        for name in names
    }


def run(arguments: Sequence[str], *, here: bool = False) -> int:
    """Run one command line; gives its exit status. Never shows a traceback without --debug.

    Where a follower has the history warm it runs the verb: it is run `here` then, by a process that
    no fault of a verb may end.
    """
    words = list(arguments)
    head = words[: words.index("--")] if "--" in words else words
    debug = DEBUG in head or os.environ.get("HUNTGRAPH_DEBUG", "") not in ("", "0")
    debug &= not here
    words = [word for word in head if word != DEBUG] + words[len(head) :]
    try:
        answered = None if here else ask(words)
        status = _call(words) if answered is None else answered
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        _say("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough. Nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except SystemExit as ending:
        # Rich ends the process so, with status 1, when whoever read our output has enough.
        if isinstance(ending.__context__, BrokenPipeError):
            return Exit.OK
        raise
    except HuntError as error:
        if debug:
            raise
        return _tell(error)
    except OSError as error:
        if debug:
            raise
        return _tell(of_system(error)) if error.errno else _fault(error)
    except Exception as error:  # the last place that can turn it into a message
        if debug:
            raise
        return _fault(error)


def _call(words: list[str]) -> int:
    from cyclopts import CycloptsError

    try:
        result = application()(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _tell(of_words(error))
    return int(result or 0)


def _tell(error: HuntError) -> Exit:
    _say(f"error {error.code}: {error.what}")
    if error.where:
        _say(f"  where: {error.where}")
    if error.fix:
        _say(f"  fix: {error.fix}")
    return exit_of(error)


def _fault(error: Exception) -> Exit:
    _say(f"error HG1999: {type(error).__name__}: {error}")
    _say("  fix: this is a fault of huntgraph; run it again with --debug and report the trace")
    return Exit.FAILED


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
