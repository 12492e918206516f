"""A fork against the live hunt, as heat maps: before, after, difference.

A swarm of bots sets out from one place of an isle and makes its ways dear. The fork takes the swarm
out of history and replays everybody else. With matplotlib and a file it draws the three maps:

Run: python examples/fork_heat_map.py [FILE.png]
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from huntgraph.engine import Engine, move, ticks
from huntgraph.hunt import loads
from huntgraph.schema import Kind
from huntgraph.timeline import History, LogRecords, Timeline
from huntgraph.timeline.history import Source
from huntgraph.timeline.log import END
from huntgraph.world import World, generate

HUNT = """
hunt: rush
title: Rush hour
traffic: {rise: 16, bucket: 8, bucket_cost: 1}
stages:
  - clue: well
    at: {x: 20, y: 25}
    points: 1
    text: Start at the well.
"""
CROWD, SWARM = range(1, 301), range(1001, 1101)


class KeptLog:
    """Records that were kept instead of logged."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END
    ) -> Iterator[LogRecords]:
        """Give the records from a position on, as a log does."""
        for at in range(first - 1, min(len(self.rows), upto), batch):
            yield LogRecords(at + 1, self.rows[at : at + batch])


# %% A hunt: the crowd wanders everywhere, the swarm from one place.
def play(world: World) -> np.ndarray:
    engine, kept, rng = Engine(world, players=1000), [], np.random.default_rng(3)

    def apply(records: Any) -> Any:
        updates = engine.apply(records)
        kept.append(np.ascontiguousarray(records).view(np.uint8).reshape(-1, 64))
        assert updates["position"].all()
        return updates

    apply(loads(HUNT).compile(world, 0))
    apply(ticks(1, time_ms=50))
    players = np.array([*CROWD, *SWARM], np.uint64)
    node = rng.integers(0, world.nodes, len(players))
    node[len(CROWD) :] = world.node_at(20, 25)
    apply(move(Kind.ENTER, player=players, seq=1, to=node))
    for seq in range(2, 42):
        row = world.first[node].astype(np.int64)
        ways = world.first[node + 1] - row
        to = world.head[row + rng.integers(0, 1 << 30, len(node)) % ways]
        node = apply(move(Kind.GO, player=players, seq=seq, from_=node, to=to))["node"]
        node = node.astype(np.int64)
        apply(ticks(seq, time_ms=50 * seq))
    return np.concatenate(kept)


# %% Weight of traffic by place: what edges cost more than they did at first, over both ways.
def heat_map(world: World, weights: np.ndarray) -> np.ndarray:
    image = np.zeros((int(world.y.max()) + 1, int(world.x.max()) + 1))
    tails = world.tails()
    dearer = weights[: world.edges].astype(np.int64) - world.cost
    np.add.at(image, (world.y[tails], world.x[tails]), dearer)
    return image


def main() -> None:
    world = generate(20_000, seed=7)
    source = Source(0, world, KeptLog(play(world)))
    timeline = Timeline(History({0: source}, Path("kept")))
    # %% The fork: everybody but the swarm, from the start.
    with timeline.fork(at="0:0") as fork:
        run = fork.drop(player=tuple(SWARM)).replay()
        diff = fork.diff()
    before, after = (heat_map(world, run.replicas[0].weights(branch=b)) for b in (False, True))
    print(f"traffic costs {before.sum():,.0f} before, {after.sum():,.0f} without the swarm")
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]), before, after)
    print(f"{len(diff.edges)} edges differ, {diff.counts()['labels']['direct']} changes are direct")


# %% The maps.
def draw(file: Path, before: np.ndarray, after: np.ndarray) -> None:
    try:
        plot = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        print("matplotlib is not installed: no maps are drawn")
        return
    _, axes = plot.subplots(1, 3, figsize=(12, 4))
    most = before.max()
    for axis, name, image in zip(axes[:2], ("before", "after"), (before, after), strict=True):
        axis.imshow(image, cmap="hot", vmin=0, vmax=most)
        axis.set_title(name)
    axes[2].imshow(after - before, cmap="coolwarm", vmin=-most, vmax=most)
    axes[2].set_title("difference")
    plot.savefig(file)
    print(f"maps drawn to {file}")


if __name__ == "__main__":
    main()
