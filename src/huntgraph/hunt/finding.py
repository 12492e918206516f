"""What a check of a hunt file finds, and the error that carries findings.

Codes (the reference for authors is ``docs/reference/hunt-format.md``)::

    HG1201 not a YAML file        HG1202 a wrong value          HG1203 a key written twice
    HG1210 an id used twice       HG1211 an unknown id          HG1212 needs in a circle
    HG1213 too many alternatives  HG1214 a limit exceeded       HG1215 no stages
    HG1216 needs never met        HG1217 only the winner can go on
    HG1218 no treasure
    HG1220 no text                HG1221 a text not translated  HG1222 an unknown language
    HG1230 a window without time  HG1231 time beyond the end    HG1232 closed before it can open
    HG1233 a hint after the end   HG1234 hints out of order     HG1235 a gate's times
    HG1240 exclusive with stock   HG1241 per team, no teams
    HG1250 no node there          HG1251 no such edge           HG1252 heat too dear
    HG1253 an edge of two gates
    HG1260 a clue out of reach    HG1261 a treasure out of reach
    HG1262 a one-way trap         HG1263 cut off by a gate
    HG1270 many stages over borders, at publishing
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from huntgraph.errors import HuntFileError

__all__ = ["Finding", "HuntInvalidError", "Path", "Severity", "path_text", "refuse"]

Severity = Literal["error", "warning"]
Path = tuple[str | int, ...]
"""A place in a hunt file: keys and list indices from the top."""

LISTED: Final = 20
"""Findings an error's text lists; its ``findings`` hold all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found; ``line`` and ``column`` count from 1."""

    severity: Severity
    code: str
    line: int
    column: int
    what: str
    fix: str
    path: str = ""
    file: str = ""

    @property
    def where(self) -> str:
        """``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        advice = f" ({self.fix})" if self.fix else ""
        return f"{self.where}: {self.severity} {self.code}: {self.what}{advice}"

    def to_dict(self) -> dict[str, str | int]:
        """Give all fields as plain values, for ``--json``."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class HuntInvalidError(HuntFileError):
    """A hunt file has errors; ``findings`` holds every one of them, in the order of the file.

    ``code``, ``what``, ``where`` and ``fix`` are those of the first.
    """

    findings: tuple[Finding, ...]

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(first.what, where=first.where, fix=first.fix, code=first.code)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        lines = [str(finding) for finding in self.findings[:LISTED]]
        if len(self.findings) > LISTED:
            lines.append(f"... and {len(self.findings) - LISTED} more")
        return "\n".join(lines)


def refuse(findings: Iterable[Finding]) -> None:
    """Raise HuntInvalidError when there is an error among the findings."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise HuntInvalidError(errors)


def path_text(path: Path) -> str:
    """Write a path as authors read it, such as ``stages[2].needs.all[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
