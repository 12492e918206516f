"""``huntgraph verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Json, facts, print_json, progress
from huntgraph.cli.timeline import opened

__all__ = ["verify"]


def verify(
    folder: Annotated[Path | None, Parameter(name="--dir")] = None,
    *,
    world: Path | None = None,
    from_snapshot: bool = False,
    json: Json = False,
) -> int:
    """Replay and compare.

    Args:
        folder: the folder of huntgraph serve, or the actor's own [your state folder's serve].
        world: the world file or the folder of its parts; a folder of huntgraph serve knows it.
        from_snapshot: begin at each partition's newest snapshot instead of where history begins.
        json: print the outcome as JSON.
    """
    from huntgraph.timeline.verify_all import verify_all

    history = opened(folder, world).history
    with progress("Replaying the log") as bar:
        found = verify_all(
            history, from_snapshot=from_snapshot, progress=lambda done: bar.at(f"{done:,}")
        )
    if json:
        print_json("verification", _body(found.to_dict()))
    else:
        for number, part in found.partitions.items():
            title = f"partition {number}" if len(found.partitions) > 1 else ""
            body = part.to_dict()
            facts(title, [(name, value) for name, value in body.items() if name != "problems"])
            for problem in part.problems:
                print(f"problem at {number}/{problem.position}: {problem.what}")
        for number, problem in found.crossings:
            print(f"problem at {number}/{problem.position}: {problem.what}")
        print("everything is as recorded" if found.sound else "NOT as recorded")
    return Exit.OK if found.sound else Exit.DIFFERENCE


def _body(found: dict[str, Any]) -> dict[str, Any]:
    """The outcome of a single partition stands at the top too."""
    parts = list(found["partitions"].values())
    return {**(parts[0] if len(parts) == 1 else {}), **found}
