"""The small world of the tests in parts, with a running actor for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from huntgraph.bus import Counters
from huntgraph.cluster.actor import Actor, ActorOptions
from huntgraph.cluster.control import refuse
from huntgraph.model import Border, Model
from huntgraph.schema import Form, Kind, Rule
from tests.fault.follower import Follower
from tests.fault.logfile import LogFile
from tests.partitions import Part, Rows, split
from tests.servers import ground, rule, until


def parts_of_the_world(count: int) -> list[Part]:
    """The ground's world cut into strips from west to east."""
    world = ground().world
    rank = np.argsort(np.argsort(np.asarray(world.x), kind="stable"), kind="stable")
    rows = Rows(world.first, world.head, world.cost)
    return split(rows, rank * count // world.nodes)


class Coast:
    """Partitions with an actor each, all neighbours; ``changes`` are options of all actors."""

    def __init__(self, folder: Path, parts: int, **changes: Any) -> None:
        self.folder = folder
        self.parts = parts_of_the_world(parts)
        self.options = [self._options(part, changes) for part in self.parts]
        self.actors: dict[int, Actor] = {}

    def _options(self, part: Part, changes: dict[str, Any]) -> ActorOptions:
        file = self.folder / f"part-{part.partition:02}.hgw"
        part.save(file)
        others = [other.partition for other in self.parts if other is not part]
        neighbours = {number: self.folder / str(number) for number in others}
        own = {"partition": part.partition, "world": file, "neighbours": neighbours}
        return ground().options(self.folder / str(part.partition), **own, **changes)

    async def start(self, *numbers: int) -> None:
        """Start these actors, or all; from the first start on each keeps its address."""
        for number in numbers or range(len(self.parts)):
            actor = await Actor.start(self.options[number])
            self.actors[number] = actor
            self.options[number] = replace(self.options[number], listen=actor.ready.address)

    async def publish(self, clues: list[tuple[int, int]]) -> None:
        """Publish a hunt of clues, each (partition, node), everywhere, and wait till it runs."""
        for number, actor in self.actors.items():
            stages = []
            for index, (owner, node) in enumerate(clues):
                place = {"from_": node, "owner": 0 if owner == number else 1 + owner}
                clue = {"index": index, "form": Form.CLUE, "rule": Rule.PLAYER, "points": 1}
                stages.append(rule(Kind.HUNT_STAGE, **clue, **place))
            begin = rule(Kind.HUNT_BEGIN, hunt_id=77, mask=(1 << len(self.parts)) - 1)
            end = rule(Kind.HUNT_PUBLISH, count=len(stages))
            answers = refuse(await actor.control(np.concatenate([begin, *stages, end])))
            last = int(answers.updates["tick"][-1])
            counters = actor.counters()
            await until(partial(_reaches, counters, "tick", last + 1))
            await until(partial(_reaches, counters, "durable", counters.value("position")))

    def links(self) -> dict[int, str]:
        """Where each partition is."""
        return {number: actor.ready.url for number, actor in self.actors.items()}

    async def settle(self) -> None:
        """Wait until nobody is on the way."""
        for actor in self.actors.values():
            counters = actor.counters()
            await until(partial(_is_empty, counters, counters.value("tick")))

    async def stop(self) -> list[int]:
        """Stop all; their state hashes."""
        stopped = [await actor.stop() for actor in self.actors.values()]
        return [end.state_hash for end in stopped if end is not None]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """End all that still run."""
        for actor in self.actors.values():
            await actor.kill()

    def follow(self, part: Part) -> Follower:
        """The oracle, fed with the partition's log."""
        halo = slice(part.own_nodes, None)
        border = Border(part.partition, part.owner[halo], part.twin[halo])
        players = self.options[part.partition].players
        model = Model(part.first, part.head, part.cost, players, border=border)
        log = LogFile(self.folder / str(part.partition) / "log", part.world_id, part.partition)
        return Follower(model, log)


def _reaches(counters: Counters, name: str, value: int) -> bool:
    return counters.value(name) >= value


def _is_empty(counters: Counters, tick: int) -> bool:
    # Counters are brought up to date with the ticks: those of the next one at the earliest.
    return counters.value("tick") > tick + 1 and counters.value("parcels_waiting") == 0
