"""Send a thousand players walking at random, then replay their records: every bit is the same.

Run: python examples/same_records_same_state.py
"""

import numpy as np

from huntgraph.engine import Engine, move, ticks
from huntgraph.schema import Code, Kind
from huntgraph.world import generate

PLAYERS = np.arange(1, 1_001)


def main() -> None:
    world = generate(edges=20_000, seed=1)
    rng = np.random.default_rng(5)
    engine = Engine(world, players=len(PLAYERS))
    node = rng.integers(0, world.nodes, len(PLAYERS))
    records = [move(Kind.ENTER, player=PLAYERS, seq=1, to=node)]
    engine.apply(records[0])
    for seq in range(2, 102):
        row = world.first[node].astype(np.int64)
        ways = world.first[node + 1] - row
        to = world.head[row + rng.integers(0, 1 << 30, len(node)) % ways]
        batch = move(Kind.GO, player=PLAYERS, seq=seq, to=to, **{"from": node})
        records += [batch, ticks(seq - 1)]
        updates = engine.apply(batch)
        engine.apply(records[-1])
        assert (updates["code"] == Code.OK).all()
        node = updates["node"].astype(np.int64)

    replay = Engine(world, players=len(PLAYERS))
    replay.apply(np.concatenate(records))
    print(f"{engine.position:,} records, tick {engine.tick}")
    print(f"state {engine.state_hash():016x}, replayed {replay.state_hash():016x}")
    assert replay.save() == engine.save()
    print("every bit is the same")


if __name__ == "__main__":
    main()
