"""A read-only view of a fork, for people and dashboards: numbers, hunts, players, leaderboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from huntgraph.schema import State
from huntgraph.timeline.standings import NO_HUNT, plain_standing, standings
from huntgraph.timeline.tables import held_in, hunts_of, players_of

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run

__all__ = ["preview"]


def preview(run: Run, *, players: int = 100) -> dict[str, Any]:
    """Give the state of a fork at its head, JSON-ready; the leaders of each hunt first.

    `players` bounds how many are listed.
    """
    replicas = run.replicas.items()
    hunts = {n: hunts_of(*replica.hunt_cells(branch=True)) for n, replica in replicas}
    held = {n: held_in(each) for n, each in hunts.items()}
    everybody = {n: players_of(replica.players(branch=True)) for n, replica in replicas}
    table = standings(everybody, held)
    order = np.lexsort((table["id"], table["rank"], table["hunt"]))
    listed = [plain_standing(row) for row in table[order][:players]]
    return {
        "partitions": [
            {
                "partition": number,
                "position": run.head[number],
                "state_hash": f"{run.replicas[number].branch_hash():016x}",
                "hunts": [hunt | {"state": State(hunt["state"]).name} for hunt in hunts[number]],
            }
            for number in run.replicas
        ],
        "players": len(table),
        "present": int(np.count_nonzero(table["present"])),
        "in_hunts": int(np.count_nonzero(table["hunt"] != NO_HUNT)),
        "leaderboard": [row for row in listed if row["hunt"] is not None],
        "listed": listed,
    }
