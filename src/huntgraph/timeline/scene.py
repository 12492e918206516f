"""The moment before an event, and what had been seen by then: what `why` explains from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.errors import ForkError
from huntgraph.schema import EVENT
from huntgraph.schema import Event as EventKind
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import among
from huntgraph.timeline.outcomes import outcomes
from huntgraph.timeline.points import Event
from huntgraph.timeline.tables import hunts_of, players_of, stages_of

__all__ = ["Reason", "Scene", "named", "scene_of", "way_here"]

ABOUT_ALL: Final = (EventKind.FOUND, EventKind.CLAIMED, EventKind.NOTED, EventKind.GATE)


@dataclass(frozen=True)
class Reason:
    """One link of the chain: what was so, and the event that made it so, if there is one."""

    text: str
    event: Event | None = None

    def __str__(self) -> str:
        return self.text if self.event is None else f"{self.text} ({named(self.event)})"


@dataclass
class Scene:
    """The moment before an event, and all that was seen of its player, its edge and its hunt."""

    history: History
    partition: int
    engine: Engine
    record: np.void
    seen: NDArray[np.void]
    """Events before it, dtype EVENT: of its player, of its edge, and of all stages and gates."""

    def __post_init__(self) -> None:
        cells = self.engine.cells(edges=False, players=False)
        self.stages, self.hunts = stages_of(*cells), hunts_of(*cells)
        players = players_of(self.engine.players())
        mine = players[players["id"] == self.record["player"]]
        self.player: np.void | None = mine[0] if len(mine) else None
        self.update: np.void = self.engine.apply(self.record.reshape(1))[0]
        """The answer to it, dtype UPDATE."""

    def stage(self, number: int) -> np.void | None:
        """A stage of the player's hunt."""
        if self.player is None:
            return None
        found = self.stages[self.stages["hunt"] == self.player["hunt"]]
        found = found[found["stage"] == number]
        return found[0] if len(found) else None

    def hunt(self) -> dict[str, Any] | None:
        """The player's hunt."""
        if self.player is None:
            return None
        slot = int(self.player["hunt"])
        return next((hunt for hunt in self.hunts if hunt["slot"] == slot), None)

    def last(self, *kinds: EventKind, **fields: int) -> np.void | None:
        """The last event of these kinds with these fields."""
        fit = among(self.seen["kind"], kinds)
        for name, value in fields.items():
            fit &= self.seen[name.rstrip("_")] == value
        found = self.seen[fit]
        return found[-1] if len(found) else None

    @property
    def whole(self) -> bool:
        """Whether all that was ever logged here has been seen."""
        return self.history.indexed.of[self.partition].begin == 0

    def place(self, event: np.void) -> Event:
        """The event's name."""
        return self.partition, int(event["position"])


def scene_of(history: History, event: Event) -> Scene:
    """Replay to right before an event, from where history begins.

    Raises ForkError HG1711 when there is no such event, LogDroppedError when it was dropped.
    """
    partition, position = event
    part = history.index().of.get(partition)
    if part is not None and 0 < position <= part.begin:
        raise history.dropped(partition, position)
    if part is None or not part.first <= position <= part.end:
        what = f"there is no event {named(event)}"
        raise ForkError(what, fix="huntgraph lookup lists events", code="HG1711")
    (records,) = history.sources[partition].records(position, position)
    record = records.moves[0].copy()
    engine, stream = outcomes(history, partition, part.begin + 1, position - 1)
    seen = [np.zeros(0, EVENT)]
    for outcome in stream:
        seen.append(outcome.events[_concerns(outcome.events, record)])
    return Scene(history, partition, engine, record, np.concatenate(seen))


def _concerns(events: NDArray[np.void], record: np.void) -> NDArray[np.bool_]:
    mine = events["player"] == record["player"]
    edge = (events["kind"] == EventKind.DELTA) & (events["from"] == record["from"])
    edge &= events["to"] == record["to"]
    concerns: NDArray[np.bool_] = mine | edge
    return concerns | among(events["kind"], ABOUT_ALL)


def way_here(scene: Scene) -> Iterator[Reason]:
    """How the player came to where it stands, over borders too."""
    player = int(scene.record["player"])
    came = scene.last(EventKind.WENT, EventKind.ENTERED, player=player)
    if came is None:
        return
    node = int(came["to"])
    if came["kind"] == EventKind.WENT:
        yield Reason(f"the player went from node {int(came['from'])} to {node}", scene.place(came))
    elif not int(came["flags"]) & 1:
        yield Reason(f"the player entered at node {node}", scene.place(came))
    else:
        origin, position = int(came["value"]), int(came["position"])
        text = f"the player came from partition {origin} to node {node}"
        yield Reason(text, scene.place(came))
        taken = scene.history.index().of[scene.partition].taken
        cause = taken[taken["position"] == position]["cause"]
        if len(cause):
            yield Reason("it went over the border there", (origin, int(cause[0])))


def named(event: Event) -> str:
    """Give an event's name, PARTITION/POSITION."""
    return f"{event[0]}/{event[1]}"
