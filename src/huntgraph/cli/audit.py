"""``huntgraph audit``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huntgraph.cli.exits import Exit
from huntgraph.cli.orders import Dir, layout_in_use
from huntgraph.cli.output import Json, counted, print_json, say

if TYPE_CHECKING:
    from huntgraph.cluster import Layout
    from huntgraph.timeline.audit import Audit

__all__ = ["audit"]


def audit(*, recover: bool = False, folder: Dir = None, json: Json = False) -> int:
    """List the audit trail.

    Args:
        recover: settle first what a death left half done.
        json: print the entries as JSON.
    """
    from huntgraph.timeline.audit import Audit

    layout = layout_in_use(folder)
    failed = recover and _recover(layout)
    body = _body(Audit(layout.folder))
    if json:
        print_json("audit", body)
    else:
        _print(body["entries"])
    return Exit.FAILED if failed else Exit.OK


def _body(trail: Audit) -> dict[str, Any]:
    """All entries; those with effects have them as they are now."""
    entries = []
    for entry in trail.entries():
        row = entry.to_dict()
        if entry.kind != "acknowledge":
            states = {effect.id: effect.state for effect in trail.effects(entry.id)}
            row["effects"] = [each | {"state": states[each["id"]]} for each in row["effects"]]
        entries.append(row)
    return {"file": str(trail.path), "entries": entries}


def _print(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        when = datetime.fromtimestamp(entry["at_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        of = f" of {entry['of']}" if entry["of"] else ""
        print(f"{entry['id']}  {when}  {entry['kind']}{of} by {entry['who']}: {entry['why']}")
        if entry["parts"]:
            cells = counted(entry["cells"], "cell")
            print(f"  {cells} in {counted(len(entry['parts']), 'partition')}")
        for effect in entry["effects"]:
            print(f"  {effect['state']:<12}  {effect['id']}  {effect['what']}")
    what = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    print(f"{what}, the chain is whole")


def _recover(layout: Layout) -> bool:
    """Settle what is half done; whether something could not be."""
    from huntgraph.timeline.recover import recover

    parts = layout.facts()["partitions"]
    sockets = {each["partition"]: Path(each["directory"]) / "control.sock" for each in parts}
    done = asyncio.run(recover(layout.folder, sockets))
    for each in done:
        say(f"correction of partition {each.partition}: {each.outcome} {each.error}".rstrip())
    return any(each.outcome == "failed" for each in done)
