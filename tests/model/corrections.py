"""Random corrections: fences, rows of cells, mostly sensible and sometimes not, and ends of it."""

from __future__ import annotations

from copy import deepcopy
from random import Random

from huntgraph.model import Model
from huntgraph.model.hashing import edge_word, small_cells
from huntgraph.schema import COST_MAX, HUNTS, Kind
from tests.model.worlds import Record, correction_of, record_of

WORD = 2**64 - 1
RULE = 7 << 56
"""The tag of the cells of the traffic rule (6, 7) and the range of costs (9)."""
Cells = dict[int, int]


def cells_of(model: Model) -> Cells:
    """All cells of a model by name."""
    cells = {tag << 56 | index: word for tag, index, word in small_cells(model)}
    edges = range(len(model.head))
    return cells | {1 << 56 | edge: edge_word(model, edge) for edge in edges}


def correct(rng: Random, model: Model) -> list[Record]:
    """A correction begins, or should not."""
    expected = rng.choice([0, model.state_hash(), model.state_hash(), 1])
    number = rng.choice([0, 1, 2, WORD]) if rng.random() < 0.3 else rng.getrandbits(64)
    return [correction_of(Kind.FENCE, number, (0, expected), count=0)]


def go_on_correcting(rng: Random, model: Model) -> list[Record]:
    """Some rows, or the end of the correction."""
    number = model.correction if rng.random() < 0.95 else rng.choice([0, 1, WORD])
    if model.traffic_set and rng.random() < 0.5:
        return [no_traffic(number)]
    if rng.random() < 0.25:
        expected = model.bare_hash() if rng.random() < 0.8 else rng.getrandbits(64)
        return [correction_of(Kind.SETTLE, number, (0, expected), count=0)]
    if rng.random() < 0.1:
        return [record_of(Kind.HASH, a=model.state_hash())]
    cells = cells_of(model)
    return [row_of(rng, model, cells, number) for _ in range(rng.randint(1, 6))]


def row_of(rng: Random, model: Model, cells: Cells, number: int) -> Record:
    """One row of up to three cells."""
    if rng.random() < 0.1:
        return newcomer(rng, model, number)
    if rng.random() < 0.15:
        return seat(rng, model, cells, number)
    if rng.random() < 0.1:
        return another_rule(rng, cells, number)
    names = [some_name(rng, cells) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))]
    gone = rng.choice([0] * 20 + [1, 2, 7])
    count = None if rng.random() < 0.98 else rng.choice([0, 3, 4, 255])
    pairs = [(name, other_word(rng, cells, name)) for name in names]
    return correction_of(Kind.CORRECT, number, *pairs, gone=gone, count=count)


def another_rule(rng: Random, cells: Cells, number: int) -> Record:
    """Another traffic rule, now and then with a cell beside it that may not be there."""
    w6, w7, w9 = (RULE | number for number in (6, 7, 9))
    rise, shift, period = rng.choice([0, 9, 90]), rng.choice([0, 1, 3]), rng.choice([0, 2, 7])
    rule = [(w6, rise | shift << 8 | 1 << 16 | period << 32), (w7, rng.choice([0, 1, 2, 50]))]
    edge = rng.choice([name for name in cells if name >> 56 == 1] or [w9])
    pairs = rng.choice(
        [
            rule,
            [*rule, (w9, cells[w9])],
            [rng.choice(rule)],
            [(edge, cells[edge]), rng.choice(rule)],
            [(edge, other_word(rng, cells, edge)), (w9, cells[w9])],
            [(name, other_word(rng, cells, name)) for name in (w6, w7, w9)],
            # Edges that cost more than 1 do not fit: those that are hot wrap.
            [(w6, 7 << 8 | 1 << 16), (w7, 65_533), (w9, 1 | 1 << 32)],
        ]
    )
    return correction_of(Kind.CORRECT, number, *rng.sample(pairs, len(pairs)))


def no_traffic(number: int) -> Record:
    """A traffic rule that edges of all weights fit."""
    cells = (6, 0), (7, 0), (9, 1 | COST_MAX << 32)
    return correction_of(Kind.CORRECT, number, *((RULE | w, word) for w, word in cells))


def finish(model: Model) -> list[Record]:
    """Ends the correction under way, if there is one."""
    number = model.correction
    if not number:
        return []
    ended = deepcopy(model)
    rows = [no_traffic(number)] if model.traffic_set else []
    for row in rows:
        ended.apply(row)
    return [*rows, correction_of(Kind.SETTLE, number, (0, ended.bare_hash()), count=0)]


def newcomer(rng: Random, model: Model, number: int) -> Record:
    """A cell of what is not there yet, or one taken away."""
    players, edges = len(model.players), len(model.head)
    tail, head = rng.randrange(model.nodes), rng.randrange(model.nodes)
    cell, gone = rng.choice(
        [
            ((2 << 56 | players * 8, rng.choice([5, 6, rng.getrandbits(64)])), 0),
            ((2 << 56 | (players - 1) * 8, 0), 1),
            ((10 << 56 | edges, tail | head << 32), 0),
            ((10 << 56 | edges - 2, 0), 1),
        ]
    )
    return correction_of(Kind.CORRECT, number, (cell[0] % 2**64, cell[1]), gone=gone)


def seat(rng: Random, model: Model, cells: Cells, number: int) -> Record:
    """Another place for a player: here, or handed over."""
    if not model.players:
        return correction_of(Kind.CORRECT, number)
    slot, node = rng.randrange(len(model.players)), rng.randrange(model.nodes)
    name = 2 << 56 | slot * 8
    at = node - model.own_nodes
    away = 0 if at < 0 else 1 + model.border.owner[at]
    present = int(at < 0 and rng.random() < 0.8)
    flags = cells[name + 4] & ~(0xFF << 24 | 0xFF << 56) | present << 24 | away << 56
    seq = cells[name + 2] & 0xFFFF_FFFF
    return correction_of(Kind.CORRECT, number, (name + 2, seq | node << 32), (name + 4, flags))


def some_name(rng: Random, cells: Cells) -> int:
    """The name of a cell; rarely of none."""
    if rng.random() < 0.05:
        return rng.randrange(12) << 56 | rng.randrange(HUNTS * 1024)
    tag = rng.choices([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [8, 8, 5, 8, 3, 2, 1, 1, 1, 1])[0]
    return rng.choice([name for name in cells if name >> 56 == tag] or list(cells))


def other_word(rng: Random, cells: Cells, name: int) -> int:
    """Another word for a cell: near its own, another's of the same kind, or any."""
    word, tag = cells.get(name, 0), name >> 56
    if tag == 2 and name % 8 == 2:
        # Numbers near the end of 32 bits would leave no moves to try.
        less = min(1, word & 0xFFFF_FFFF)
        return word + rng.choice([-less, 0, 0, 0, 1, 5]) + (rng.choice([0, 0, 1, 3]) << 32) & WORD
    if rng.random() < 0.4:
        same = {2: 8, 3: 16, 4: 16, 5: 4}.get(tag, 1)
        alike = [one for one in cells if one >> 56 == tag and (one - name) % same == 0]
        return cells[rng.choice(alike)] if alike else word
    if rng.random() < 0.1:
        return rng.choice([0, 1, WORD, rng.getrandbits(64)])
    shift = rng.choice([0, 8, 16, 24, 32, 32, 40, 56])
    return (word & ~(0xFF << shift) | rng.choice([0, 1, 1, 2, 3, 7, 200]) << shift) & WORD
