"""Looking a hunt over before it is published."""

from __future__ import annotations

from pathlib import Path

from huntgraph.hunt.check_ids import id_findings
from huntgraph.hunt.check_texts import text_findings
from huntgraph.hunt.check_times import time_findings
from huntgraph.hunt.check_traffic import traffic_findings
from huntgraph.hunt.check_ways import way_findings
from huntgraph.hunt.finding import Finding, HuntInvalidError
from huntgraph.hunt.hunt import Hunt, load
from huntgraph.hunt.places import AnyWorld, place

__all__ = ["check", "check_file"]


def check(hunt: Hunt, world: AnyWorld | None = None) -> list[Finding]:
    """Find everything that would spoil a hunt, in the order of its file.

    Without a world, places, gates' edges and ways are not looked at. A hunt with findings of
    severity ``error`` is not fit to be published; a ``warning`` may be meant. The course of the
    hunt is played at its quickest: a gate counts as open once it can have been opened, and a stage
    as unreachable when not even then a way leads there.
    """
    findings = [
        *id_findings(hunt),
        *text_findings(hunt),
        *time_findings(hunt),
        *traffic_findings(hunt, world),
    ]
    placed = None
    if world is not None:
        placed = place(hunt.page, hunt.source, world)
        findings += placed.findings
    findings += way_findings(hunt, world, placed)
    return sorted(findings, key=lambda each: (each.line, each.column, each.code))


def check_file(path: str | Path, world: AnyWorld | None = None) -> list[Finding]:
    """Check the file at ``path``; mistakes that keep it from being read are findings too.

    Raises HuntFileError when there is no such file or it cannot be opened.
    """
    try:
        return check(load(path), world)
    except HuntInvalidError as error:
        return list(error.findings)
