"""The errors of huntgraph: one tree, each with a code, and each saying what, where and what to do.

::

    HuntError                   HG1000   the base: catch this to catch all of them
    |- UsageError               HG1010   a wrong option, name or combination of them
    |- ExtraMissingError        HG1020   an optional package is not installed
    |                           HG1030   the command line: the system refused a path, room, a right
    |                           HG1031   a Parquet file cannot be written
    |- WorldError               HG1100   something about a world
    |  |- WorldFileError        HG1110   a world file that cannot be read as one
    |  |  |- WorldTruncatedError  HG1111         ... because bytes are missing or too many
    |  |  `- WorldChecksumError   HG1112         ... because bytes were changed
    |  |- WorldLimitError       HG1120   more than a world can hold
    |  |- WorldLookupError      HG1130   no such node (also a LookupError)
    |  `- SourceError           HG1140   an imported file is wrong: file, line, column
    |- HuntFileError            HG1200   a hunt file is wrong: file, line, column
    |- LinkError                HG1300   a connection could not be made or was lost
    |  `- LinkTimeoutError      HG1310   ... because an answer did not come in time
    |- RefusedError             HG2nnn   the engine refused: nnn is the wire's refusal code
    |- ActorError               HG1400   an actor could not be started, asked or stopped
    |- LogError                 HG1500   something about a partition's log
    |  |- LogDamagedError       HG1510   bytes of a log or a snapshot were changed
    |  |- ReplayError           HG1520   a replay does not give the recorded state
    |  `- LogDroppedError       HG1530   what is asked for was dropped from the log
    |- CommitError              HG1610   a correction was not committed: live is untouched
    |- AuditError               HG1620   something about the audit trail
    `- ForkError                HG1700   a point, a fork or its edits are not possible

Every error has four attributes: ``code`` (a ``str`` such as ``"HG1112"``), ``what`` went wrong,
``where`` (a file with its line, an address, a node; may be empty) and the ``fix`` (what to do; may
be empty). The program ``hunt-graph`` has codes HG30nn. Codes are never used again for
something else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "ActorError",
    "AuditError",
    "CommitError",
    "ExtraMissingError",
    "ForkError",
    "HuntError",
    "HuntFileError",
    "LinkError",
    "LinkTimeoutError",
    "LogDamagedError",
    "LogDroppedError",
    "LogError",
    "RefusedError",
    "ReplayError",
    "SourceError",
    "UsageError",
    "WorldChecksumError",
    "WorldError",
    "WorldFileError",
    "WorldLimitError",
    "WorldLookupError",
    "WorldTruncatedError",
    "did_you_mean",
]


class HuntError(Exception):
    """The base of all errors of huntgraph.

    ``what`` is one sentence without a full stop; ``where`` names the place; ``fix`` says what to do
    next. ``code`` overrides the code of the class where a finer one is documented.
    """

    default_code: ClassVar[str] = "HG1000"

    code: str
    what: str
    where: str
    fix: str

    def __init__(
        self, what: str, *, where: object = "", fix: str = "", code: str | None = None
    ) -> None:
        self.code = code or self.default_code
        self.what = what
        self.where = str(where)
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.fix})" if self.fix else ""
        return f"{self.code} {place}{self.what}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments are lost by the default pickling, and errors cross process borders.
        return (_rebuild, (type(self), dict(self.__dict__)))

    def to_dict(self) -> dict[str, str]:
        """Give code, what, where and fix as plain text, for ``--json``."""
        return {"code": self.code, "what": self.what, "where": self.where, "fix": self.fix}


def _rebuild(kind: type[HuntError], state: dict[str, object]) -> HuntError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (error.what,)
    return error


class UsageError(HuntError):
    """A wrong option, name or combination of them."""

    default_code = "HG1010"


class ExtraMissingError(HuntError):
    """An optional package is not installed; the fix names the extra that brings it."""

    default_code = "HG1020"


class WorldError(HuntError):
    """Something about a world is wrong."""

    default_code = "HG1100"


class WorldFileError(WorldError):
    """A file cannot be read as a world file."""

    default_code = "HG1110"


class WorldTruncatedError(WorldFileError):
    """A world file has not the length its header promises."""

    default_code = "HG1111"


class WorldChecksumError(WorldFileError):
    """The bytes of a world file are not those that were written."""

    default_code = "HG1112"


class WorldLimitError(WorldError):
    """A world would exceed a documented limit (nodes, edges a node, cost)."""

    default_code = "HG1120"


class WorldLookupError(WorldError, LookupError):
    """There is no node at this position, with this name or of this number."""

    default_code = "HG1130"


class SourceError(WorldError):
    """A file to be imported is wrong; ``where`` is ``file:line`` or ``file:line:column``.

    ``line`` and ``column`` count from 1; 0 stands for "the file as a whole". A Parquet file has
    rows, not lines: its ``line`` is the row, from 1.
    """

    default_code = "HG1140"

    line: int
    column: int

    def __init__(
        self, what: str, *, file: object, line: int = 0, column: int = 0, fix: str = ""
    ) -> None:
        place = str(file)
        if line:
            place += f":{line}"
        if column:
            place += f":{column}"
        super().__init__(what, where=place, fix=fix)
        self.line = line
        self.column = column


class HuntFileError(HuntError):
    """A hunt file is wrong; ``where`` is ``file:line`` or ``file:line:column``."""

    default_code = "HG1200"


class LinkError(HuntError):
    """A connection could not be made, or was lost."""

    default_code = "HG1300"


class LinkTimeoutError(LinkError, TimeoutError):
    """An answer did not come in the time allowed."""

    default_code = "HG1310"


class RefusedError(HuntError):
    """The engine refused an input; ``refusal`` is the numeric code of the wire protocol."""

    default_code = "HG2000"

    refusal: int

    def __init__(
        self,
        refusal: int,
        what: str = "refused by the engine",
        *,
        where: object = "",
        fix: str = "",
    ) -> None:
        super().__init__(what, where=where, fix=fix, code=f"HG{2000 + refusal}")
        self.refusal = refusal


class ActorError(HuntError):
    """An actor could not be started, asked or stopped."""

    default_code = "HG1400"


class LogError(HuntError):
    """Something about a partition's log is wrong."""

    default_code = "HG1500"


class LogDamagedError(LogError):
    """The bytes of a log or a snapshot are not those that were written."""

    default_code = "HG1510"


class ReplayError(LogError):
    """A replay of a log does not give the state that was recorded."""

    default_code = "HG1520"


class LogDroppedError(LogError):
    """The log's beginning was dropped, and what is asked for was in it: nothing is damaged."""

    default_code = "HG1530"


class CommitError(HuntError):
    """A correction was not committed: all partitions are as they were, or will be recovered so."""

    default_code = "HG1610"


class AuditError(HuntError):
    """The audit trail is damaged, or has no such entry."""

    default_code = "HG1620"


class ForkError(HuntError):
    """A point in history, a fork or its edits are not possible."""

    default_code = "HG1700"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give advice for a mistyped ``word``: the nearest of ``known``, or all of them.

    Returns a phrase for the ``fix`` of an error, such as ``did you mean "movingai"?``.
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if nearest:
        return f'did you mean "{nearest[0]}"?'
    return f"known are: {', '.join(names)}"
