"""Walkers on the real core: they solve a generated hunt by guidance alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.bots import Tally, Walkers
from huntgraph.engine import Engine
from huntgraph.hunt import Hunt, generate_hunt
from huntgraph.schema import MOVE, Code, Kind
from huntgraph.world import World, generate


class Loop:
    """A partition in this process, with ticks between rounds."""

    def __init__(self, world: World, hunt: Hunt) -> None:
        self.engine = Engine(world, players=256, fields=8)
        self.proofs: list[NDArray[np.void]] = []
        answers = self.send(hunt.compile(world, 0))
        assert (answers["code"] == Code.OK).all()

    def send(self, records: NDArray[np.void]) -> NDArray[np.void]:
        updates = self.engine.apply(records)
        self.proofs.append(self.engine.receipts())
        return updates

    def tick(self) -> None:
        move = np.zeros(1, dtype=MOVE)
        move["kind"], move["arg"] = Kind.TICK, self.engine.tick + 1
        self.send(move)
        while self.engine.work(1 << 20):
            pass


@pytest.fixture(scope="module")
def scene() -> tuple[World, Hunt]:
    world = generate(8000, seed=3)
    return world, generate_hunt(world, seed=5, clues=4, treasures=3)


def play(scene: tuple[World, Hunt], walkers: Walkers, rounds: int) -> tuple[Loop, Tally]:
    world, hunt = scene
    loop, tally = Loop(world, hunt), Tally()
    for _ in range(rounds):
        loop.tick()
        moves = walkers.moves()
        if len(moves):
            updates = loop.send(moves)
            tally.take(updates, 0.1)
            walkers.take(updates)
        if walkers.all_done:
            break
    tally.proofs = [proof for proof in loop.proofs if len(proof)]
    return loop, tally


def start_of(hunt: Hunt) -> Any:
    return hunt.page.start[0]


def test_walkers_solve_a_hunt_by_guidance_alone(scene: tuple[World, Hunt]) -> None:
    teams = np.arange(40) % 2
    walkers = Walkers(np.arange(40) + 1000, starts=start_of(scene[1]), teams=teams)
    loop, tally = play(scene, walkers, 3000)
    assert walkers.all_done
    assert not walkers.present.any()
    won = {int(stage) for stage in tally.receipts["stage"]}
    treasures = {n for n, stage in enumerate(scene[1].stages) if hasattr(stage, "treasure")}
    assert won == treasures
    # The treasures per player were won by all, and nothing was won twice.
    pairs = [(int(row["player"]), int(row["stage"])) for row in tally.receipts]
    assert len(pairs) == len(set(pairs))
    assert len({player for player, _ in pairs}) == 40
    scores = [loop.engine.player(int(each)) for each in walkers.players]
    assert walkers.score.tolist() == [each.score for each in scores if each is not None]


def test_walkers_keep_their_numbers_dense(scene: tuple[World, Hunt]) -> None:
    walkers = Walkers([7], starts=start_of(scene[1]))
    _, tally = play(scene, walkers, 50)
    assert Code.SEQ_GAP not in tally.refused
    assert Code.DUPLICATE not in tally.refused
    assert int(walkers.seq[0]) == tally.moves


def test_walkers_wait_for_a_hunt_that_is_not_open_yet(scene: tuple[World, Hunt]) -> None:
    world, hunt = scene
    loop = Loop(world, hunt)
    walkers = Walkers([1, 2], starts=start_of(hunt))
    updates = loop.send(walkers.moves())
    assert (updates["code"] == Code.HUNT_NOT_OPEN).all()
    walkers.take(updates)
    assert len(walkers.moves()) == 0
    loop.tick()
    for _ in range(10):
        moves = walkers.moves()
        if len(moves):
            walkers.take(loop.send(moves))
    assert walkers.present.all()


def test_walkers_give_up_where_waiting_will_not_help(scene: tuple[World, Hunt]) -> None:
    walkers = Walkers([1], starts=start_of(scene[1]), teams=63)
    _, tally = play(scene, walkers, 5)
    assert walkers.all_done
    assert tally.refused == {Code.BAD_TEAM: 1}


def test_walkers_leave_when_told(scene: tuple[World, Hunt]) -> None:
    world, hunt = scene
    loop = Loop(world, hunt)
    loop.tick()
    walkers = Walkers([1, 2, 3], starts=start_of(hunt))
    walkers.take(loop.send(walkers.moves()))
    assert walkers.present.all()
    walkers.leave()
    moves = walkers.moves()
    assert (moves["kind"] == Kind.LEAVE).all()
    walkers.take(loop.send(moves))
    assert walkers.all_done
    assert not walkers.present.any()
