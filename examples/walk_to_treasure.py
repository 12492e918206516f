"""Read a hunt, publish it in an in-process engine, and follow its guidance to the treasure.

Run: python examples/walk_to_treasure.py
"""

from pathlib import Path

from huntgraph.engine import Engine, move, ticks
from huntgraph.hunt import load
from huntgraph.schema import NONE, Code, Flag, Kind
from huntgraph.timeline.verify import check_chain
from huntgraph.world import generate

PLAYER = 7


def main() -> None:
    world = generate(edges=20_000, seed=1)
    hunt = load(Path(__file__).parent / "hunts" / "first.yaml")
    engine = Engine(world)
    engine.apply(hunt.compile(world, slot=0))
    engine.apply(ticks(1))  # published hunts open at a tick

    seq = 1
    update = engine.apply(move(Kind.ENTER, player=PLAYER, seq=seq, hunt=0, to=0))[0]
    while update["target"] != NONE:
        seq += 1
        if update["flags"] & Flag.ARRIVED:
            step = move(Kind.CLAIM, player=PLAYER, seq=seq, arg=NONE)
        elif update["flags"] & Flag.GUIDED:
            ends = {"from": update["node"], "to": update["next"]}
            step = move(Kind.GO, player=PLAYER, seq=seq, **ends)
        else:  # the way to a new target is being worked out: let it finish, then ask again
            engine.work()
            seq -= 1
            step = move(Kind.GO, player=PLAYER, seq=seq)
        update = engine.apply(step)[0]
        if update["found"] != 255:
            stage = hunt.stages[int(update["found"])].id
            print(f"move {seq}: found {stage}, {update['score']} points")

    receipts = engine.receipts()
    assert update["code"] == Code.OK
    assert check_chain(receipts) is None
    print(f"won after {seq} moves; {len(receipts)} receipt, its chain is whole")


if __name__ == "__main__":
    main()
