"""The state hash from scratch (rules, section 8)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from huntgraph.model.outbox import Border
from huntgraph.model.state import Hunt, Partition, Player, Traffic
from huntgraph.schema import GATE_EDGES, GATES, STAGES

U64 = NDArray[np.uint64]
POSITION_WORD, CORRECTION_WORD = 1, 10
Cell = tuple[int, int, int]
"""Tag, index and word."""


def mix(a: U64, b: U64) -> U64:
    """Low half xor high half of the 128-bit product of two keyed arrays, shape (n,)."""
    half, low = np.uint64(32), np.uint64(0xFFFF_FFFF)
    a, b = a ^ np.uint64(0x9E3779B97F4A7C15), b ^ np.uint64(0xD1B54A32D192ED03)
    a0, a1, b0, b1 = a & low, a >> half, b & low, b >> half
    # No sum here passes 64 bits: (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1.
    middle = a1 * b0 + (a0 * b0 >> half)
    other = a0 * b1 + (middle & low)
    high: U64 = a1 * b1 + (middle >> half) + (other >> half)
    return a * b ^ high


def pack(*fields: tuple[int, int]) -> int:
    """Pairs (value, bit it starts at) as one word."""
    return sum(value << bit for value, bit in fields)


def player_words(p: Player) -> list[int]:
    """The seven words of a player."""
    flags = (p.team, 0), (p.hunt, 8), (p.target, 16), (int(p.present), 24)
    return [
        p.id,
        p.progress,
        pack((p.seq, 0), (p.node, 32)),
        pack((p.score % 2**32, 0), (p.since, 32)),
        pack(*flags, (p.hints, 32), (p.last_code, 40), (p.away, 56)),
        p.last_position,
        p.edition,
    ]


def traffic_word(t: Traffic, first_bit: int) -> int:
    """Rise, shift, decay shift from `first_bit` on, eight bits each; the period at bit 32."""
    bit = first_bit
    return pack((t.rise, bit), (t.shift, bit + 8), (t.decay_shift, bit + 16), (t.period_ticks, 32))


def hunt_cells(h: int, hunt: Hunt) -> Iterator[Cell]:
    """The cells of one hunt slot with its stages, gates and gate edges."""
    counts = (len(hunt.stages), 8), (len(hunt.gates), 16), (hunt.teams, 24), (hunt.edition, 32)
    words = [
        hunt.hunt_id,
        pack((int(hunt.state), 0), *counts),
        pack((hunt.elapsed_ticks, 0), (hunt.closes, 32)),
        pack((hunt.wait, 0), (hunt.rows, 32)),
        pack((hunt.pending, 0), (hunt.extend_by, 32)),
        pack(*((int(gate.shut), g) for g, gate in enumerate(hunt.gates))),
        len(hunt.edges),
        0 if hunt.traffic is None else 1 | traffic_word(hunt.traffic, 8),
        0 if hunt.traffic is None else hunt.traffic.cost,
    ]
    words += [hunt.partitions] if hunt.partitions else []
    yield from ((3, h * 16 + w, word) for w, word in enumerate(words))
    for s, stage in enumerate(hunt.stages):
        counts4 = (len(stage.needs), 16), (len(stage.hints), 24), (stage.node, 32)
        words = [pack((stage.form, 0), (stage.rule, 8), *counts4)]
        words += [pack((stage.opens, 0), (stage.closes, 32))]
        words += [pack((stage.stock, 0), (stage.points, 32))]
        words += (stage.needs + [0] * 4)[:4]
        words += ([pack((delay, 0), (cost, 32)) for delay, cost in stage.hints] + [0] * 4)[:4]
        words += [
            pack((stage.wins, 0), (stage.owner, 32)),
            stage.team_bits,
            stage.winner,
            stage.position,
        ]
        yield from ((4, (h * STAGES + s) * 16 + w, word) for w, word in enumerate(words))
    for g, gate in enumerate(hunt.gates):
        words = [pack((int(gate.starts_shut), 0), (gate.count, 16), (gate.first, 32))]
        words += [pack((gate.opens, 0), (gate.closes, 32)), gate.mask]
        yield from ((5, (h * GATES + g) * 4 + w, word) for w, word in enumerate(words))
    yield from ((6, h * GATE_EDGES + i, edge) for i, edge in enumerate(hunt.edges))


def border_cells(border: Border) -> Iterator[Cell]:
    """The cells of waiting parcels and of the partitions they go to."""
    for (partition, number), parcel in border.outbox.items():
        words = [int.from_bytes(parcel[at : at + 8], "little") for at in range(0, 64, 8)]
        first = partition << 48 | number % 2**40 * 8
        yield from ((8, first + w, word) for w, word in enumerate(words))
    for partition, peer in enumerate(border.peers):
        if peer.sent or peer.taken:
            words = [peer.sent, peer.acked, peer.taken]
            yield from ((9, partition * 4 + w, word) for w, word in enumerate(words))


def small_cells(state: Partition) -> Iterator[Cell]:
    """All cells but those of tag 1."""
    for slot, player in enumerate(state.players):
        yield from ((2, slot * 8 + w, word) for w, word in enumerate(player_words(player)))
    for h, hunt in enumerate(state.hunts):
        yield from hunt_cells(h, hunt)
    chain = [int.from_bytes(state.chain[at : at + 8], "little") for at in range(0, 32, 8)]
    words = [state.tick, state.position, *chain, traffic_word(state.traffic, 0), state.traffic.cost]
    words += [state.serial, pack((state.cost_min, 0), (state.cost_max, 32))]
    yield from ((7, w, word) for w, word in enumerate(words))
    if state.correction:
        yield 7, CORRECTION_WORD, state.correction
    for edge in range(state.world_slots, len(state.head)):
        yield 10, edge, pack((int(state.tail[edge]), 0), (int(state.head[edge]), 32))
    yield from border_cells(state.border)


def edge_word(state: Partition, edge: int) -> int:
    """The word of a slot in use."""
    heat, closed = int(state.heat[edge]), int(state.closed[edge])
    return pack((state.weight(edge), 0), (heat, 16), (closed, 24))


def bare_hash(state: Partition) -> int:
    """The state hash without the cells of position and correction."""
    cells = [(7 << 56 | POSITION_WORD, state.position)]
    cells += [(7 << 56 | CORRECTION_WORD, state.correction)] if state.correction else []
    names, words = (np.array(column, np.uint64) for column in zip(*cells, strict=True))
    return (state_hash(state) - int(mix(names, words).sum(dtype=np.uint64))) % 2**64


def state_hash(state: Partition) -> int:
    """The sum of all mixed cells modulo 2^64."""
    index = np.arange(len(state.cost), dtype=np.uint64) | np.uint64(1 << 56)
    word = state.weights() | state.heat << 16 | state.closed.astype(np.int64) << 24
    edges = mix(index, word.astype(np.uint64))
    cells = list(small_cells(state))
    keys = np.array([tag << 56 | index for tag, index, _ in cells], np.uint64)
    words = np.array([word for _, _, word in cells], np.uint64)
    return (int(edges.sum(dtype=np.uint64)) + int(mix(keys, words).sum(dtype=np.uint64))) % 2**64
