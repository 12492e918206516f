"""Close the edge a player is told to take, while the hunt runs, and see it told another way.

Run: python examples/close_a_bridge.py
"""

import numpy as np

from huntgraph.engine import Engine, Records, move, ticks
from huntgraph.hunt import loads
from huntgraph.schema import Flag, Kind
from huntgraph.world import generate


def main() -> None:
    world = generate(edges=20_000, seed=1)
    last = world.nodes - 1
    hunt = loads(
        f"{{hunt: far, stages: [{{treasure: chest, at: {last}, text: Far off, who: player}}]}}"
    )
    engine = Engine(world)
    engine.apply(hunt.compile(world, slot=0))
    engine.apply(ticks(1))
    engine.apply(move(Kind.ENTER, player=1, seq=1, hunt=0, to=0))

    def ask() -> Records:
        """Send the last move again: it is not applied twice, but answered with fresh guidance."""
        engine.work()
        answer: Records = engine.apply(move(Kind.ENTER, player=1, seq=1, hunt=0, to=0))
        return answer

    before = ask()
    print(f"at tick {before['epoch'][0]}: {before['distance'][0]} to go, by {before['next'][0]}")
    ends = {"from": 0, "to": int(before["next"][0])}
    engine.apply(move(Kind.EDGE_CLOSE, **ends))
    engine.apply(ticks(2))  # fields are exact for the weights of a tick, the epoch
    after = ask()
    if after["flags"][0] & Flag.NO_PATH:
        print("there is no other way")
        return
    print(f"at tick {after['epoch'][0]}: {after['distance'][0]} to go, by {after['next'][0]}")
    assert after["next"][0] != before["next"][0]
    assert after["distance"][0] >= before["distance"][0]
    print(f"{np.count_nonzero(engine.closed() & (world.cost > 0))} edge is closed")


if __name__ == "__main__":
    main()
