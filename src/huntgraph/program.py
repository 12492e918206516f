"""Where the actor's program ``hunt-graph`` is on this machine.

The wheel carries it beside the Python code and installs it among the environment's scripts.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from huntgraph.errors import ActorError

__all__ = ["VARIABLE", "actor_program"]

NAME = "hunt-graph"
VARIABLE = "HUNTGRAPH_ACTOR"
"""The environment variable that names another program to start as the actor."""


def actor_program() -> Path:
    """Give the absolute path of the actor's program.

    ``HUNTGRAPH_ACTOR`` is taken when set, and nothing else is then tried. Otherwise the places are
    the folder of the running interpreter, the scripts folders of its installation and of the user,
    and those that belong to this package when it was installed with ``--target`` or ``--prefix``.
    The search path of the shell is left out: a program found there may be of another version.

    Raises:
        ActorError: HG1410, there is no such program, or it cannot be executed.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = Path(named).expanduser().absolute()
        if not _is_program(program):
            raise ActorError(
                f"{VARIABLE} names something that is not a program",
                where=program,
                fix=f"unset {VARIABLE}, or let it name a hunt-graph built from this version",
                code="HG1410",
            )
        return program
    tried: list[Path] = []
    for program in _places():
        if _is_program(program):
            return program
        if program not in tried:
            tried.append(program)
    raise ActorError(
        f"the actor's program {NAME} is not installed",
        where=", ".join(str(place.parent) for place in tried),
        fix=f"install the huntgraph wheel anew, run make build in a checkout, or set {VARIABLE}",
        code="HG1410",
    )


def _places() -> Iterator[Path]:
    # sys.executable is not resolved: in a virtual environment it is a link, and the program lies
    # beside the link.
    yield Path(sys.executable).absolute().parent / NAME
    yield Path(sysconfig.get_path("scripts")) / NAME
    yield Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))) / NAME
    package = Path(__file__).absolute().parent
    yield package.parent / "bin" / NAME
    yield package.parent.parent.parent.parent / "bin" / NAME


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
