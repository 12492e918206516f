"""Generated hunts are clean, survive being written, and can be played to the end in the model."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from huntgraph.errors import HuntFileError, UsageError
from huntgraph.hunt import Hunt, check, generate_hunt, load, loads
from huntgraph.hunt.page import Treasure
from huntgraph.model import Answer, Model
from huntgraph.schema import MOVE, NONE, Code, Kind
from huntgraph.world import World
from tests.unit.hunt.grounds import grid, line


@pytest.mark.parametrize("seed", range(12))
def test_generated_hunts_are_clean_and_repeatable(seed: int) -> None:
    world = grid(20, 15)
    hunt = generate_hunt(world, seed=seed, clues=seed, treasures=1 + seed % 5, teams=seed % 4)
    assert check(hunt, world) == []
    again = generate_hunt(world, seed=seed, clues=seed, treasures=1 + seed % 5, teams=seed % 4)
    assert again.hunt_id == hunt.hunt_id
    assert len(hunt.stages) == seed + 1 + seed % 5
    assert bool(hunt.gates) == bool(seed)


def test_a_generated_hunt_has_all_kinds_and_both_languages() -> None:
    hunt = generate_hunt(grid(20, 20), seed=1)
    kinds = {stage.who for stage in hunt.stages if isinstance(stage, Treasure)}
    assert kinds == {"player", "exclusive", "team"}
    assert all(hunt.text(number, "en") != hunt.text(number, "de") for number in range(10))
    assert hunt.hint_text(0, 1, "de") != ""
    assert len({stage.at for stage in hunt.stages if isinstance(stage.at, int)}) == 10


def test_a_hunt_survives_being_written(tmp_path: Path) -> None:
    hunt = generate_hunt(grid(20, 20), seed=3)
    path = tmp_path / "demo.yaml"
    hunt.save(path, schema="schema.json")
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
    assert load(path).page == hunt.page
    assert loads(hunt.to_yaml()).hunt_id == hunt.hunt_id
    assert [each.name for each in tmp_path.iterdir()] == ["demo.yaml"]
    with pytest.raises(HuntFileError, match="cannot be written"):
        hunt.save(tmp_path / "none" / "demo.yaml")


def test_counts_that_make_no_hunt_are_refused() -> None:
    world = grid(5, 5)
    for clues, treasures, teams in ((1, 0, 0), (-1, 2, 0), (60, 5, 0), (1, 1, 65), (20, 5, 0)):
        with pytest.raises(UsageError):
            generate_hunt(world, seed=1, clues=clues, treasures=treasures, teams=teams)


def test_a_world_without_room_for_a_gate_gives_a_hunt_without() -> None:
    # A ring walked one way only: each gate would cut off what lies behind.
    world = line([(node, (node + 1) % 40) for node in range(40)], 40)
    hunt = generate_hunt(world, seed=2, clues=3, treasures=2)
    assert check(hunt, world) == []


class _Player:
    """Walks where the model's target is, over open edges only, and claims what it can."""

    def __init__(self, model: Model, world: World) -> None:
        self.model, self.world, self.seq = model, world, 0

    def send(
        self, kind: Kind, *, hunt: int = 65535, start: int = 0, to: int = 0, arg: int = 0
    ) -> Answer:
        self.seq += 1
        move = np.zeros((), dtype=MOVE)
        move["kind"], move["hunt"], move["seq"], move["player"] = kind, hunt, self.seq, 7
        move["from"], move["to"], move["arg"] = start, to, arg
        answer = self.model.apply(move.tobytes())
        assert answer.code == Code.OK
        return answer

    def way(self, start: int, goal: int) -> list[int]:
        """Nodes from start to goal over edges that are open now."""
        before = {start: start}
        here = [start]
        while goal not in before and here:
            following = []
            for node in here:
                for edge in range(int(self.world.first[node]), int(self.world.first[node + 1])):
                    head = int(self.world.head[edge])
                    if not self.model.closed[edge] and head not in before:
                        before[head] = node
                        following.append(head)
            here = following
        way = [goal]
        while way[0] != start:
            way.insert(0, before[way[0]])
        return way


def _play(hunt: Hunt, world: World) -> set[str]:
    """Play alone until no target is left; what was found then (some clues in passing)."""
    model = Model(world.first, world.head, world.cost)
    for row in hunt.compile(world, 0):
        assert model.apply(row).code == Code.OK
    tick = np.zeros((), dtype=MOVE)
    tick["kind"], tick["arg"] = Kind.TICK, 1
    assert model.apply(tick.tobytes()).code == Code.OK
    player = _Player(model, world)
    start = hunt.page.start[0]
    assert isinstance(start, int)
    answer = player.send(Kind.ENTER, hunt=0, to=start)
    won: set[str] = set()
    while answer.target != NONE:
        stage = hunt.stages[answer.stage]
        way = player.way(answer.node, answer.target)
        for here, there in pairwise(way):
            answer = player.send(Kind.GO, start=here, to=there)
        if isinstance(stage, Treasure):
            number = hunt.stage_number(stage.id)
            answer = player.send(Kind.CLAIM, arg=number)
            assert answer.found == number
            assert stage.id not in won
            won.add(stage.id)
    progress = model.players[0].progress
    return {stage.id for number, stage in enumerate(hunt.stages) if progress >> number & 1}


@pytest.mark.parametrize("seed", range(6))
def test_one_player_can_finish_a_generated_hunt(seed: int) -> None:
    world = grid(14, 14)
    hunt = generate_hunt(world, seed=seed, clues=5, treasures=4, teams=2)
    assert _play(hunt, world) == {stage.id for stage in hunt.stages}
    assert hunt.gates
