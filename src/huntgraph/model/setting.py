"""Words into the state, where a correction may put them (rules, section 12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from huntgraph.model.settable import HUNT_CELLS, Row, cut, split, traffic_left
from huntgraph.model.state import Gate, Hunt, Partition, Player, Stage, Traffic

Item = TypeVar("Item")


def put_cell(state: Partition, name: int, word: int) -> None:
    """Gives a cell its new word; those of tag 7 have theirs already."""
    tag, index = split(name)
    if tag == 1:
        weight, heat, closed, _ = cut(word, 16, 8, 1)
        state.set_edge(index, cost=weight - state.traffic.term(heat), heat=heat, closed=closed)
    elif tag == 2:
        put_player(state, index // 8, index % 8, word)
    elif tag == 10 and index == len(state.cost):
        state.add_slots(*cut(word, 32))
    elif tag in HUNT_CELLS:
        slot, at = divmod(index, HUNT_CELLS[tag])
        PUT[tag](state.hunts[slot], at, word)


def take_cell(state: Partition, name: int) -> None:
    """Takes a cell away."""
    if split(name)[0] == 10:
        state.drop_slots()
    else:
        del state.slot_of[state.players.pop().id]


def signed(word: int) -> int:
    """32 bits as two's complement."""
    return (word + 2**31) % 2**32 - 2**31


def put_player(state: Partition, slot: int, number: int, word: int) -> None:
    """A word of a player; a slot that is not there yet is made."""
    if slot == len(state.players):
        state.slot_of[word] = slot
        state.players.append(Player(word))
        return
    player = state.players[slot]
    if number == 1:
        player.progress = word
    elif number == 2:
        seq, player.node = cut(word, 32)
        player.seq = max(player.seq, seq)
    elif number == 3:
        score, player.since = cut(word, 32)
        player.score = signed(score)
    elif number == 4:
        player.team, player.hunt, player.target, present, hints, _, away = cut(
            word, 8, 8, 8, 8, 8, 16
        )
        player.present, player.hints, player.away = bool(present), hints, away
    elif number == 6:
        player.edition = word


def put_traffic(state: Partition, row: Row) -> None:
    """The traffic rule and the range of costs, all words of a row together."""
    if not any(split(name)[0] == 7 for name in row):
        return
    state.traffic_set, left = True, traffic_left(state, row)
    rise, shift, decay_shift, _, period = cut(left[6], 8, 8, 8, 8)
    state.cost_min, state.cost_max = cut(left[9], 32)
    state.set_traffic(Traffic(rise, shift, decay_shift, period, left[7]))


def resized(items: list[Item], count: int, new: Callable[[], Item]) -> list[Item]:
    """A list cut or filled up to a length."""
    return items[:count] + [new() for _ in range(count - len(items))]


def put_hunt(hunt: Hunt, number: int, word: int) -> None:
    """A word of tag 3."""
    if number == 0:
        hunt.hunt_id = word
    elif number == 1:
        hunt.state, stages, gates, hunt.teams, hunt.edition = cut(word, 8, 8, 8, 8)
        hunt.stages = resized(hunt.stages, stages, lambda: Stage(0, 0, 0, 0, 0, 0, 0))
        hunt.gates = resized(hunt.gates, gates, lambda: Gate(False, 0, 0, 0, 0))
    elif number == 2:
        hunt.elapsed_ticks, hunt.closes = cut(word, 32)
    elif number == 3:
        hunt.wait, hunt.rows = cut(word, 32)
    elif number == 4:
        hunt.pending, hunt.extend_by = cut(word, 32)
    elif number == 5:
        for bit, gate in enumerate(hunt.gates):
            gate.shut = bool(word >> bit & 1)
    elif number == 6:
        hunt.edges = resized(hunt.edges, word, int)
    elif number == 7:
        cost = 0 if hunt.traffic is None else hunt.traffic.cost
        _, rise, shift, decay_shift, period = cut(word, 8, 8, 8, 8)
        hunt.traffic = Traffic(rise, shift, decay_shift, period, cost) if word else None
    elif number == 8 and hunt.traffic is not None:
        old = hunt.traffic
        hunt.traffic = Traffic(old.rise, old.shift, old.decay_shift, old.period_ticks, word)
    elif number == 9:
        hunt.partitions = word


def put_stage(hunt: Hunt, index: int, word: int) -> None:
    """A word of tag 4."""
    stage, number = hunt.stages[index // 16], index % 16
    if number == 0:
        stage.form, stage.rule, needs, hints, stage.node = cut(word, 8, 8, 8, 8)
        stage.needs = resized(stage.needs, needs, int)
        stage.hints = resized(stage.hints, hints, lambda: (0, 0))
    elif number == 1:
        stage.opens, stage.closes = cut(word, 32)
    elif number == 2:
        stage.stock, stage.points = cut(word, 32)
    elif number in range(3, 3 + len(stage.needs)):
        stage.needs[number - 3] = word
    elif number in range(7, 7 + len(stage.hints)):
        delay, cost = cut(word, 32)
        stage.hints[number - 7] = delay, cost
    elif number == 11:
        stage.wins, stage.owner = cut(word, 32)
    elif number >= 12:
        setattr(stage, ("team_bits", "winner", "position")[number - 12], word)


def put_gate(hunt: Hunt, index: int, word: int) -> None:
    """A word of tag 5."""
    gate, number = hunt.gates[index // 4], index % 4
    if number == 0:
        starts_shut, gate.count, gate.first = cut(word, 16, 16)
        gate.starts_shut = bool(starts_shut)
    elif number == 1:
        gate.opens, gate.closes = cut(word, 32)
    else:
        gate.mask = word


def put_gate_edge(hunt: Hunt, index: int, word: int) -> None:
    """A word of tag 6."""
    hunt.edges[index] = word


PUT = {3: put_hunt, 4: put_stage, 5: put_gate, 6: put_gate_edge}
