"""``huntgraph hunt ls|show``: how hunts stand in all partitions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter, validators

from huntgraph.cli.orders import Dir, everywhere, layout_of
from huntgraph.cli.output import Json, facts, print_json, table
from huntgraph.schema import HUNTS, Form, Rule, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huntgraph.cluster import Control, Layout, Standings

__all__ = ["ls", "show"]

TICKS_A_SECOND: Final = 20
NO_HUNT: Final = (State.EMPTY, State.LOADING)
Slot = Annotated[int, Parameter(validator=validators.Number(gte=0, lt=HUNTS))]
All = Annotated[bool, Parameter(name="--all", negative="")]
Told = dict[int, "Standings"]


def ls(*, folder: Dir = None, all_slots: All = False, json: Json = False) -> int:
    """List hunts.

    Args:
        all_slots: list slots that hold no hunt too.
        json: print the list as JSON.
    """
    layout = layout_of(folder)
    told = _ask(layout)
    hunts = [_hunt(layout, told, slot) for slot in range(HUNTS)]
    if not all_slots:
        hunts = [hunt for hunt in hunts if set(hunt["states"]) - {"EMPTY"}]
    if json:
        print_json("hunts", {"hunts": hunts})
        return 0
    columns = ("slot", "hunt", "state", "hunt time", "hunting", "treasures won")
    table("", columns, [_line(hunt) for hunt in hunts])
    return 0


def show(slot: Slot, /, *, folder: Dir = None, json: Json = False) -> int:
    """Show a hunt.

    Args:
        slot: its slot, 0 to 7.
        json: print it as JSON.
    """
    layout = layout_of(folder)
    told = _ask(layout)
    hunt = _hunt(layout, told, slot)
    stages = _in_the_world(layout, _stages(told, slot))
    if json:
        print_json("hunt", {**hunt, "stages": stages})
        return 0
    _, name, state, elapsed, hunting, won = _line(hunt)
    rows = [("hunt", name), ("id", hunt["hunt_id"]), ("state", state), ("hunt time", elapsed)]
    facts(f"slot {slot}", [*rows, ("hunting", hunting), ("treasures won", won)])
    columns = ("stage", "form", "who", "partition", "node", "hunting", "times", "last by")
    table("", columns, [_stage_line(stage) for stage in stages])
    return 0


def _stage_line(stage: dict[str, Any]) -> list[str]:
    return ["-" if stage[name] is None else str(stage[name]) for name in _COLUMNS]


_COLUMNS: Final = ("stage", "form", "who", "partition", "node", "hunting", "wins", "winner")


def _ask(layout: Layout) -> Told:
    async def ask(controls: Mapping[int, Control]) -> Told:
        answers = await asyncio.gather(*(control.hunts() for control in controls.values()))
        return dict(zip(controls, answers, strict=True))

    return asyncio.run(everywhere(layout, ask))


def _hunt(layout: Layout, told: Told, slot: int) -> dict[str, Any]:
    """Give what is known of a slot, JSON-ready; times are hunt time in seconds."""
    rows = {partition: each.slots[slot] for partition, each in sorted(told.items())}
    states = [State(int(row["state"])).name for row in rows.values()]
    ids = {int(row["hunt_id"]) for row in rows.values() if row["state"] not in NO_HUNT}
    names = layout.hunt_names()
    return {
        "slot": slot,
        "hunt_id": " ".join(f"{hunt_id:016x}" for hunt_id in sorted(ids)),
        "name": " ".join(names.get(hunt_id, f"{hunt_id:016x}") for hunt_id in sorted(ids)),
        "states": {state: states.count(state) for state in states},
        "hunting": sum(int(row["hunters"]) for row in rows.values()),
        "treasures_won": sum(int(row["wins"]) for row in rows.values()),
        "partitions": [
            {
                "partition": partition,
                "state": State(int(row["state"])).name,
                "elapsed_s": int(row["elapsed"]) / TICKS_A_SECOND,
                "closes_s": int(row["closes"]) / TICKS_A_SECOND or None,
                "opens_in_s": int(row["wait"]) / TICKS_A_SECOND,
                "hunting": int(row["hunters"]),
                "treasures_won": int(row["wins"]),
            }
            for partition, row in rows.items()
        ],
    }


def _line(hunt: dict[str, Any]) -> list[str]:
    """Give a hunt as one line; partitions that differ are counted by state."""
    states = hunt["states"]
    shown = ", ".join(f"{count} {state}" for state, count in states.items())
    state = shown if len(states) > 1 else next(iter(states))
    times = [each["elapsed_s"] for each in hunt["partitions"]]
    elapsed = f"{max(times):,.0f} s"
    counts = [f"{hunt['hunting']:,}", f"{hunt['treasures_won']:,}"]
    return [str(hunt["slot"]), hunt["name"] or "-", state, elapsed, *counts]


def _in_the_world(layout: Layout, stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name the stages' nodes as the whole world does, where it is served in parts."""
    from huntgraph.world import Parts

    world = Path(layout.facts()["world"])
    if stages and world.is_dir():
        parts = Parts.open(world, verify="header")
        for stage in stages:
            stage["node"] = int(parts.global_ids(stage["partition"], stage["node"]))
    return stages


def _stages(told: Told, slot: int) -> list[dict[str, Any]]:
    """Give each stage as the partition that it is in knows it, JSON-ready."""
    found: dict[int, dict[str, Any]] = {}
    hunting: dict[int, int] = {}
    for partition, each in sorted(told.items()):
        for row in each.stages[each.stages["hunt"] == slot]:
            number = int(row["stage"])
            hunting[number] = hunting.get(number, 0) + int(row["hunters"])
            if row["owner"] != 0:
                continue
            winner = int(row["winner"]) if row["wins"] else None
            found[number] = {
                "stage": number,
                "form": Form(int(row["form"])).name.lower(),
                "who": Rule(int(row["rule"])).name.lower(),
                "partition": partition,
                "node": int(row["node"]),
                "points": int(row["points"]),
                "stock": int(row["stock"]) or None,
                "wins": int(row["wins"]),
                "winner": winner,
                "position": int(row["position"]) if row["wins"] else None,
            }
    return [{**stage, "hunting": hunting[number]} for number, stage in sorted(found.items())]
