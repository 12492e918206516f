"""A running actor's guidance, as players got it over QUIC, judged by the log it left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from huntgraph.engine import Engine, Records
from huntgraph.schema import Flag, Kind, State
from huntgraph.timeline import Log
from tests.sim.churn import Churn
from tests.sim.client_scene import Scene
from tests.sim.judge import EXACT, Judge

PLAYERS, MOVERS, BATCHES = 1_000, 250, 240


async def play(scene: Scene, seed: int) -> Records:
    """Players walk over QUIC while edges and hunts change by the control socket."""
    churn = Churn(scene.world, seed, PLAYERS)
    answers = []
    async with await scene.start() as actor, scene.connect(actor) as link:
        for number in range(BATCHES):
            if number == 0:
                records = churn.opening()
            else:
                # Hunts that run refuse to be published again: only those that are over open.
                churn.state[:] = State.CLOSED if number % 40 == 0 else State.OPEN
                records = churn.batch(MOVERS)
            moves = records["kind"] <= Kind.HINT
            others = records[~moves & (records["kind"] != Kind.TICK)]
            if len(others):
                await actor.control(others)
            updates = await link.send(records[moves])
            churn.learn(updates, records[:0])
            answers.append(updates)
        await link.drain()
        await actor.stop()
    return np.concatenate(answers)


def test_answers_over_quic_are_exact_for_their_epoch_or_for_now(
    short_path: Path, seed: int
) -> None:
    scene = Scene(short_path, seed)
    updates = asyncio.run(play(scene, seed))
    # An answer to a move sent twice has the first one's position: no place of its own in the log.
    updates = updates[(updates["position"] > 0) & (updates["flags"] & Flag.DUPLICATE == 0)]
    updates = updates[np.argsort(updates["position"], kind="stable")]
    replay, judge = Engine(scene.world, players=PLAYERS, fields=1), Judge(scene.world)
    events = []
    for records in Log(scene.folder / "actor", world_id=scene.world.world_id).records():
        replay.apply(records.rows)
        events.append(replay.events())
    judge.follow(updates, np.concatenate(events), 0)
    print(dict(judge.seen))
    assert not judge.wrong, f"seed {seed}: {judge.wrong[:3]}"
    assert judge.agrees_with(replay.weights(), replay.closed())
    assert judge.judged > 5_000, judge.seen
    assert (updates["flags"] & EXACT == Flag.CERTIFIED).any()
