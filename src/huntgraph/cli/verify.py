"""``huntgraph verify``."""

from __future__ import annotations

from pathlib import Path

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Json, facts, print_json, progress
from huntgraph.errors import UsageError

__all__ = ["verify"]


def verify(folder: Path | None = None, /, *, world: Path | None = None, json: Json = False) -> int:
    """Replay and compare.

    Args:
        folder: the folder of huntgraph serve, or the actor's own [your state folder's serve].
        world: the world file; found by itself for a folder of huntgraph serve.
        json: print the outcome as JSON.
    """
    from huntgraph.cluster import Layout, home
    from huntgraph.timeline import verify as replay
    from huntgraph.world import World

    layout = Layout((folder or home("state") / "serve").absolute())
    served = layout.actor.is_dir()
    directory = layout.actor if served else layout.folder
    if not (directory / "log").is_dir():
        what = "there is no log in this folder"
        raise UsageError(what, where=directory, fix="name the folder given to huntgraph serve")
    file = world or layout.world()
    with progress("Replaying the log") as bar:
        found = replay(directory, World.open(file), progress=lambda done: bar.at(f"{done:,}"))
    body = found.to_dict()
    if json:
        print_json("verification", body)
    else:
        rows = [(name, value) for name, value in body.items() if name != "problems"]
        facts("", rows)
        for problem in body["problems"]:
            print(f"problem at position {problem['position']:,}: {problem['what']}")
        print("everything is as recorded" if not body["problems"] else "NOT as recorded")
    return Exit.DIFFERENCE if body["problems"] else Exit.OK
