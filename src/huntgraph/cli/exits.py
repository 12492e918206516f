"""Exit statuses of the command line, and which error ends with which."""

from __future__ import annotations

from enum import IntEnum

from huntgraph.errors import (
    ActorError,
    ExtraMissingError,
    HuntError,
    LinkError,
    ReplayError,
    UsageError,
)

__all__ = ["Exit", "exit_of"]

UNREACHABLE = ("HG1450", "HG1451", "HG1461", "HG1463", "HG1482")
"""Codes of an actor or a gateway that is not there or does not answer."""


MISWRITTEN = ("HG1701", "HG1710", "HG1712", "HG1713", "HG1714", "HG1717")
"""Codes of a name, a point, an event or a time that cannot be read as one."""

BROKEN_TRAIL = "HG1621"
"""Code of an audit trail whose chain does not hold."""

UNREADABLE = "HG1301"
"""Code of a PEM file that cannot be used: nobody was asked yet."""


class Exit(IntEnum):
    """What a command ends with."""

    OK = 0
    """Done."""
    FAILED = 1
    """It could not be done; the message says why and what to do."""
    USAGE = 2
    """The command line was wrong."""
    PROBLEM = 3
    """Doctor found a problem."""
    DIFFERENCE = 5
    """A replay, a hash or a receipt was not what it should have been."""
    UNREACHABLE = 6
    """No actor, gateway or game server answered."""
    INTERRUPTED = 130
    """Ended by Ctrl-C."""


def exit_of(error: HuntError) -> Exit:
    """Give the exit status that an error ends a command with."""
    if isinstance(error, UsageError | ExtraMissingError) or error.code in MISWRITTEN:
        return Exit.USAGE
    if isinstance(error, ReplayError) or error.code == BROKEN_TRAIL:
        return Exit.DIFFERENCE
    if isinstance(error, LinkError) and error.code != UNREADABLE:
        return Exit.UNREACHABLE
    if isinstance(error, ActorError) and error.code in UNREACHABLE:
        return Exit.UNREACHABLE
    return Exit.FAILED
