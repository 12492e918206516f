"""Which words a correction may give to which cells (rules, section 12)."""

from __future__ import annotations

from huntgraph.model.hashing import pack, player_words, traffic_word
from huntgraph.model.state import NO_HUNT, NO_STAGE, Partition
from huntgraph.schema import (
    COST_MAX,
    GATE_EDGES,
    GATES,
    HEAT_MAX,
    HINTS,
    HUNTS,
    NEEDS,
    NONE,
    PEERS,
    STAGES,
    TEAMS,
    WEIGHT_MAX,
    Form,
    Rule,
    State,
)

Row = dict[int, int]
"""New words by the names of their cells."""
RULE = {7 << 56 | 6, 7 << 56 | 7}
"""The cells of the traffic rule: weights of edges follow them."""


def split(name: int) -> tuple[int, int]:
    """Tag and index of a name."""
    return name >> 56, name & (1 << 56) - 1


def cut(word: int, *widths: int) -> list[int]:
    """A word's fields from the low bits up; at last what is left of it."""
    fields = []
    for width in widths:
        fields.append(word & (1 << width) - 1)
        word >>= width
    return [*fields, word]


def may_set(state: Partition, name: int, row: Row) -> bool:
    """Whether a cell of a row may get its word."""
    (tag, index), word = split(name), row[name]
    if tag == 1:
        return index < len(state.cost) and fits_edge(state, word) and not RULE & row.keys()
    if tag == 2:
        return fits_player(state, index // 8, index % 8, row, word)
    if tag == 7:
        return index in (6, 7, 9) and fits_traffic(state, row)
    if tag == 10:
        return fits_added(state, index, word)
    return tag in HUNT_CELLS and fits_hunt_cell(state, tag, index, word)


def stands_alone(state: Partition, name: int) -> bool:
    """Whether setting a cell makes others, or does away with them."""
    tag, index = split(name)
    counts = tag == 3 and index % 16 in (1, 6, 7)
    return tag == 10 or counts or (tag == 4 and index % 16 == 0) or name == new_player(state)


def new_player(state: Partition) -> int:
    """The name of the first cell of the next player."""
    return 2 << 56 | len(state.players) * 8


def may_take(state: Partition, name: int) -> bool:
    """Whether a cell may be taken away."""
    tag, index = split(name)
    if tag == 2 and index == (len(state.players) - 1) * 8:
        made = len(state.players) > state.players_before
        return made and not state.players[-1].present
    if tag == 10 and state.slots_before <= index == len(state.cost) - 2:
        gated = any(edge >= index for hunt in state.hunts for edge in hunt.edges)
        return not gated and not state.cost[index:].any()
    return False


def fits_edge(state: Partition, word: int) -> bool:
    """A word of tag 1."""
    weight, heat, closed, more = cut(word, 16, 8, 1)
    if weight == 0:
        return (heat, closed, more) == (0, 1, 0)
    base = weight - state.traffic.term(heat)
    return heat <= HEAT_MAX and more == 0 and 1 <= base <= state.cost_max


def has_room(state: Partition, row: Row) -> bool:
    """Whether edges may have all costs of a row whose cells may be set."""
    words = [cut(word, 16, 8) for name, word in row.items() if split(name)[0] == 1]
    return state.has_room(*(weight and weight - state.traffic.term(h) for weight, h, _ in words))


def fits_player(state: Partition, slot: int, number: int, row: Row, word: int) -> bool:
    """A word of tag 2."""
    if number == 0 and slot == len(state.players):
        return slot < state.players_max and word not in state.slot_of
    if slot >= len(state.players) or number > 6:
        return False
    if number == 0:
        return word == state.players[slot].id
    if number == 4 and not fits_flags(word):
        return False
    if number == 6:
        return word < 2**32
    return number not in (2, 4) or fits_seat(state, slot, row)


def fits_flags(word: int) -> bool:
    """Word 4 of a player."""
    team, hunt, target, _, more, _ = cut(word, 8, 8, 8, 1, 7)
    hunts = hunt == NO_HUNT or hunt < HUNTS
    targets = target == NO_STAGE or (target < STAGES and hunt != NO_HUNT)
    return team < TEAMS and hunts and targets and more == 0


def fits_seat(state: Partition, slot: int, row: Row) -> bool:
    """Node, presence and being away go together."""
    words = player_words(state.players[slot])
    place, flags = (row.get(2 << 56 | slot * 8 + w, words[w]) for w in (2, 4))
    node, present, away = place >> 32, flags >> 24 & 1, flags >> 56
    if node < state.own_nodes:
        return away == 0
    owners = state.border.owner
    at = node - state.own_nodes
    return at < len(owners) and away == 1 + owners[at] and not present


def traffic_left(state: Partition, row: Row) -> Row:
    """Words 6, 7 and 9 of tag 7 by number, as the row leaves them."""
    costs = pack((state.cost_min, 0), (state.cost_max, 32))
    now = {6: traffic_word(state.traffic, 0), 7: state.traffic.cost, 9: costs}
    return {number: row.get(7 << 56 | number, word) for number, word in now.items()}


def fits_traffic(state: Partition, row: Row) -> bool:
    """Words 6, 7 and 9 of tag 7."""
    left = traffic_left(state, row)
    rise, shift, decay_shift, more, period = cut(left[6], 8, 8, 8, 8)
    least, greatest = cut(left[9], 32)
    if rise > HEAT_MAX or shift > 7 or decay_shift > 7 or more or period > 65535:
        return False
    heaviest = greatest + (HEAT_MAX >> shift) * left[7]
    return least <= greatest <= COST_MAX and heaviest <= WEIGHT_MAX and left[7] < 2**32


def fits_added(state: Partition, edge: int, word: int) -> bool:
    """A word of tag 10."""
    tail, head = cut(word, 32)
    if state.world_slots <= edge < len(state.cost):
        return (tail, head) == (state.tail[edge], state.head[edge])
    if edge != len(state.cost) or tail >= state.own_nodes or head >= state.nodes:
        return False
    free = tail != head and state.find_slot(tail, head) is None
    return free and state.slots_fit(tail, head)


def fits_hunt_cell(state: Partition, tag: int, index: int, word: int) -> bool:
    """A word of tags 3 to 6."""
    slot, at = divmod(index, HUNT_CELLS[tag])
    if slot >= HUNTS:
        return False
    hunt = state.hunts[slot]
    if tag == 3:
        return fits_hunt(state, slot, at, word)
    if tag == 4:
        return at // 16 < len(hunt.stages) and fits_stage(state, slot, *divmod(at, 16), word)
    if tag == 5:
        starts_shut, count, first = cut(word, 16, 16)
        shape = starts_shut <= 1 and count <= GATE_EDGES and first <= GATE_EDGES
        return at // 4 < len(hunt.gates) and (shape if at % 4 == 0 else at % 4 < 3)
    return at < len(hunt.edges) and word < len(state.cost)


HUNT_CELLS = {3: 16, 4: STAGES * 16, 5: GATES * 4, 6: GATE_EDGES}
"""Indexes of one hunt slot, by tag."""


def fits_hunt(state: Partition, slot: int, number: int, word: int) -> bool:
    """A word of tag 3."""
    hunt = state.hunts[slot]
    if number == 1:
        its_state, stages, gates, teams, _ = cut(word, 8, 8, 8, 8)
        counts = stages <= STAGES and gates <= GATES and teams <= TEAMS
        return its_state <= State.CLOSED and counts
    if number == 4:
        return word & 0xFFFF_FFFF < 8
    if number == 5:
        return word >> len(hunt.gates) == 0
    if number == 6:
        return word <= GATE_EDGES and (word <= len(hunt.edges) or len(state.cost) > 0)
    if number == 7:
        has, rise, shift, decay_shift, period = cut(word, 8, 8, 8, 8)
        ranges = rise <= HEAT_MAX and shift <= 7 and 1 <= decay_shift <= 7 and period <= 65535
        return word == 0 or (has == 1 and ranges)
    if number == 8:
        return word < 2**32 and (word == 0 or hunt.traffic is not None)
    if number == 9:
        return not word >> state.border.partition & 1
    return number < 4


def fits_stage(state: Partition, slot: int, number: int, at: int, word: int) -> bool:
    """A word of tag 4, of a stage in use."""
    stage = state.hunts[slot].stages[number]
    if at == 0:
        form, rule, needs, hints, node = cut(word, 8, 8, 8, 8)
        kinds = form in list(Form) and rule in list(Rule)
        counts = needs <= NEEDS and hints <= HINTS
        return kinds and counts and (node < state.nodes or node == NONE)
    if 3 <= at <= 6:
        return word == 0 or at - 3 < len(stage.needs)
    if 7 <= at <= 10:
        return word == 0 or at - 7 < len(stage.hints)
    if at == 11:
        owner = word >> 32
        return owner <= PEERS and owner != 1 + state.border.partition
    return at < 15
