"""What players have found and won in a fork and not in the original, or the other way round.

A stage is that of a hunt, not of its slot: where a hunt was closed and the next one loaded, a slot
may hold another hunt on one side. So progress is compared by the ids of hunts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import Form
from huntgraph.timeline.replay import Outcomes
from huntgraph.timeline.standings import NO_HUNT, STANDING, Held, standings
from huntgraph.timeline.tables import held_in, hunts_of, places, players_of, stages_of

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run

__all__ = ["Progress", "Side", "by_hunt", "gained_and_lost", "pairs", "sides_of"]

Row = np.void
Stage = tuple[int, int, int]
"""A slot, the id of its hunt, and the number of the stage."""
COMPARED: Final = tuple(name for name in STANDING.names or () if name not in ("id", "seq"))


class Progress(NamedTuple):
    """A stage that a player has found or won on one side alone: in the fork where `gained`."""

    player: int
    hunt: int
    """The slot."""
    hunt_id: int
    stage: int
    form: int
    gained: bool


@dataclass(frozen=True)
class Side:
    """Players, hunts and wins of the original or of the fork, over all partitions."""

    standings: NDArray[np.void]
    """dtype STANDING."""
    held: Held
    stages: Mapping[int, NDArray[np.void]]
    """Of each partition, dtype STAGE_ROW."""
    wins: Mapping[tuple[int, int, int], tuple[int, int]]
    """Where each player won each treasure: partition and position by player, slot and stage."""
    forms: Mapping[Stage, int]
    """Of the hunts of both sides: a hunt that is gone on one side is told of by the other."""

    def stages_of(self, row: Row | None) -> set[tuple[Stage, int]]:
        """Give what a player found or won in the hunt it is in: stages and their forms."""
        if row is None or int(row["hunt"]) == NO_HUNT:
            return set()
        player, hunt, hunt_id, progress = (
            int(row[name]) for name in ("id", "hunt", "hunt_id", "progress")
        )
        stages = [(hunt, hunt_id, stage) for stage in range(64) if progress >> stage & 1]
        return {(stage, self._form(player, stage)) for stage in stages}

    def _form(self, player: int, stage: Stage) -> int:
        """Of a stage that no state has any more, it is known only who won it."""
        won = (player, stage[0], stage[2]) in self.wins
        return self.forms.get(stage, Form.TREASURE if won else Form.CLUE)


def sides_of(run: Run) -> tuple[Side, Side]:
    """Give the original and the fork of a run."""
    cells = [
        {n: replica.hunt_cells(branch=branch) for n, replica in run.replicas.items()}
        for branch in (False, True)
    ]
    held = [{n: held_in(hunts_of(*each)) for n, each in side.items()} for side in cells]
    stages = [{n: stages_of(*each) for n, each in side.items()} for side in cells]
    forms = [_forms(*pair) for pair in zip(stages, held, strict=True)]
    found = []
    for own, outcomes in enumerate((run.was, run.now)):
        other, replicas = 1 - own, run.replicas.items()
        players = {n: players_of(replica.players(branch=bool(own))) for n, replica in replicas}
        table = standings(players, held[own], held[other])
        wins = _wins(outcomes, stages[own])
        found.append(Side(table, held[own], stages[own], wins, forms[other] | forms[own]))
    return found[0], found[1]


def pairs(was: Side, now: Side) -> Iterator[tuple[Row | None, Row | None]]:
    """Give rows of the same player that differ, and all in hunts with clues that were treasures.

    None for one that is on one side only.
    """
    one, other = was.standings, now.standings
    to, both = places(one["id"], other["id"])
    _, known = places(other["id"], one["id"])
    differ = both.copy()
    old, new = one[both], other[to[both]]
    differ[both] = np.any([old[name] != new[name] for name in COMPARED], axis=0)
    differ[both] |= np.isin(old["hunt"], list(_turned(was, now)))
    yield from ((one[i], other[to[i]]) for i in np.flatnonzero(differ))
    yield from ((row, None) for row in one[~both])
    yield from ((None, row) for row in other[~known])


def gained_and_lost(
    player: int, was: Set[tuple[Stage, int]], now: Set[tuple[Stage, int]]
) -> list[Progress]:
    """Give the stages of a player that only one of its sides has, those gained first."""
    gained = [Progress(player, *stage, form, True) for stage, form in sorted(now - was)]
    return gained + [Progress(player, *stage, form, False) for stage, form in sorted(was - now)]


def by_hunt(stages: NDArray[np.void], held: Mapping[int, tuple[int, int]]) -> dict[Stage, Row]:
    """Give the stages of a partition (dtype STAGE_ROW) by slot, id of the hunt, and number."""
    slots = [(int(row["hunt"]), row) for row in stages]
    return {(slot, held.get(slot, (0, 0))[0], int(row["stage"])): row for slot, row in slots}


def _turned(was: Side, now: Side) -> set[int]:
    """Slots of hunts that have, on one side, a clue where there is a treasure on the other."""
    return {stage[0] for stage, form in was.forms.items() if now.forms[stage] != form}


def _forms(stages: Mapping[int, NDArray[np.void]], held: Held) -> dict[Stage, int]:
    return {
        stage: int(row["form"])
        for number, table in stages.items()
        for stage, row in by_hunt(table, held[number]).items()
    }


def _wins(
    outcomes: Mapping[int, Outcomes], stages: Mapping[int, NDArray[np.void]]
) -> dict[tuple[int, int, int], tuple[int, int]]:
    """Where each player won each treasure: partition and position.

    A stage tells of its last win, also when an earlier commit made it; the outcomes of all others.
    """
    wins = (win for side in outcomes.values() for win in side.wins.values())
    found = {(w.player, w.hunt, w.stage): (w.partition, w.position) for w in wins}
    for number, table in stages.items():
        for row in table[table["owner"] == 0]:
            key = (int(row["winner"]), int(row["hunt"]), int(row["stage"]))
            found[key] = (number, int(row["position"]))
    return found
