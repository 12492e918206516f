"""How hunts are loaded, opened, paused and closed, and what a tick does (rules, section 6)."""

from __future__ import annotations

from huntgraph.model.state import U32_MAX, Gate, Hunt, Partition, Refused, Stage, Traffic
from huntgraph.schema import (
    GATE_EDGES,
    GATES,
    HEAT_MAX,
    HINTS,
    HUNTS,
    NEEDS,
    PEERS,
    STAGES,
    TEAMS,
    WEIGHT_MAX,
    Code,
    Event,
    Form,
    Kind,
    Rule,
    State,
)

PAUSE, RESUME, CLOSE = 1, 2, 4


def change(state: Partition, slot: int, to: State) -> None:
    """Puts a hunt into another state."""
    state.hunts[slot].state = to
    state.note(Event.HUNT, hunt=slot, value=to)


def set_gate(state: Partition, slot: int, number: int, shut: bool) -> None:
    """Shuts or opens a gate with all its edges; nothing if it is so already."""
    hunt = state.hunts[slot]
    gate = hunt.gates[number]
    if gate.shut == shut:
        return
    gate.shut = shut
    state.note(Event.GATE, hunt=slot, edge=number, value=int(shut))
    for edge in hunt.edges[gate.first : gate.first + gate.count]:
        if state.cost[edge] > 0:
            state.set_edge(edge, closed=shut)


def turn_gates(state: Partition, slot: int, stage: int) -> None:
    """After the first win of a stage: gates whose stages all have wins leave their start."""
    won = sum(1 << s for s, other in enumerate(state.hunts[slot].stages) if other.wins > 0)
    for number, gate in enumerate(state.hunts[slot].gates):
        if gate.mask >> stage & 1 and gate.mask & ~won == 0:
            set_gate(state, slot, number, not gate.starts_shut)


def hunt_record(state: Partition, row: dict[str, int]) -> None:
    """Applies any record of kinds HUNT_BEGIN to HUNT_CLOSE."""
    kind = row["kind"]
    if row["hunt"] >= HUNTS:
        raise Refused(Code.UNKNOWN_HUNT)
    hunt = state.hunts[row["hunt"]]
    if kind == Kind.HUNT_BEGIN:
        begin(state, row)
    elif kind in ORDERS:
        states, bit = ORDERS[Kind(kind)]
        if hunt.state not in states:
            raise Refused(Code.HUNT_NOT_OPEN)
        hunt.pending |= bit
        if kind == Kind.HUNT_EXTEND:
            hunt.extend_by = min(U32_MAX, hunt.extend_by + row["arg"])
    elif hunt.state != State.LOADING:
        raise Refused(Code.NOT_LOADING)
    elif kind == Kind.HUNT_PUBLISH:
        demand(row["count"] == hunt.rows)
        hunt.edition = (hunt.edition + 1) % 2**32
        change(state, row["hunt"], State.READY)
    else:
        ROWS[Kind(kind)](state, hunt, row)
        hunt.rows += 1


ORDERS: dict[Kind, tuple[tuple[State, ...], int]] = {
    Kind.HUNT_PAUSE: ((State.OPEN,), PAUSE),
    Kind.HUNT_RESUME: ((State.PAUSED,), RESUME),
    Kind.HUNT_EXTEND: ((State.OPEN, State.PAUSED), 0),
    Kind.HUNT_CLOSE: ((State.READY, State.OPEN, State.PAUSED), CLOSE),
}
"""States that allow the order, and its bit of `pending`."""


def demand(good: bool) -> None:
    """Refuses with BAD_RULE what is not good."""
    if not good:
        raise Refused(Code.BAD_RULE)


def begin(state: Partition, row: dict[str, int]) -> None:
    """Clears the slot; only its edition stays."""
    old = state.hunts[row["hunt"]]
    if old.state in (State.READY, State.OPEN, State.PAUSED):
        raise Refused(Code.HUNT_IN_USE)
    demand(row["teams"] <= TEAMS)
    fresh = Hunt(row["hunt_id"], edition=old.edition, teams=row["teams"])
    fresh.wait, fresh.closes = row["opens"], row["closes"]
    fresh.partitions = row["mask"] & ~(1 << state.border.partition)
    state.hunts[row["hunt"]] = fresh
    change(state, row["hunt"], State.LOADING)


def stage_row(state: Partition, hunt: Hunt, row: dict[str, int]) -> None:
    """A clue or treasure."""
    owner = row["owner"]
    demand(owner <= PEERS and owner != 1 + state.border.partition)
    demand(row["index"] == len(hunt.stages) and len(hunt.stages) < STAGES)
    demand(row["form"] in list(Form) and row["rule"] in list(Rule))
    if owner == 0 and row["from"] >= state.own_nodes:
        raise Refused(Code.UNKNOWN_NODE)
    demand(row["closes"] == 0 or row["closes"] > row["opens"])
    window = row["opens"], row["closes"]
    stock, points = row["stock"], row["points"]
    node = row["from"] if owner == 0 else state.halo_node(owner - 1, row["from"])
    hunt.stages.append(Stage(row["form"], row["rule"], node, *window, stock, points, owner=owner))


def need_row(state: Partition, hunt: Hunt, row: dict[str, int]) -> None:
    """An alternative of a stage's needs."""
    demand(row["index"] < len(hunt.stages) and row["mask"] != 0)
    demand(len(hunt.stages[row["index"]].needs) < NEEDS)
    hunt.stages[row["index"]].needs.append(row["mask"])


def hint_row(state: Partition, hunt: Hunt, row: dict[str, int]) -> None:
    """A hint of a stage."""
    demand(row["index"] < len(hunt.stages))
    demand(len(hunt.stages[row["index"]].hints) < HINTS)
    hunt.stages[row["index"]].hints.append((row["delay"], row["cost"]))


def gate_row(state: Partition, hunt: Hunt, row: dict[str, int]) -> None:
    """A gate, still without edges."""
    demand(row["index"] == len(hunt.gates) and len(hunt.gates) < GATES)
    times = row["opens"], row["closes"]
    hunt.gates.append(Gate(bool(row["flags"] & 1), *times, row["mask"], len(hunt.edges)))


def gate_edge_row(state: Partition, hunt: Hunt, row: dict[str, int]) -> None:
    """An edge of the newest gate."""
    demand(row["index"] + 1 == len(hunt.gates) and len(hunt.edges) < GATE_EDGES)
    hunt.edges.append(state.find_edge_checked(row["from"], row["to"]))
    hunt.gates[-1].count += 1


def fits(state: Partition, rule: Traffic) -> bool:
    """Whether the dearest edge at the greatest heat stays within WEIGHT_MAX."""
    return state.cost_max + rule.term(HEAT_MAX) <= WEIGHT_MAX


def traffic_row(state: Partition, hunt: Hunt, row: dict[str, int]) -> None:
    """The traffic rule; the last row counts."""
    demand(row["stock"] <= HEAT_MAX and row["points"] <= 7 and 1 <= row["index"] <= 7)
    demand(row["delay"] <= 65535)
    rule = Traffic(row["stock"], row["points"], row["index"], row["delay"], row["cost"])
    demand(fits(state, rule))
    hunt.traffic = rule


ROWS = {
    Kind.HUNT_STAGE: stage_row,
    Kind.HUNT_NEED: need_row,
    Kind.HUNT_HINT: hint_row,
    Kind.HUNT_GATE: gate_row,
    Kind.HUNT_GATE_EDGE: gate_edge_row,
    Kind.HUNT_TRAFFIC: traffic_row,
}


def open_hunt(state: Partition, slot: int) -> None:
    """Opens a hunt: its traffic rule, its shut gates."""
    hunt = state.hunts[slot]
    hunt.elapsed_ticks = 0
    change(state, slot, State.OPEN)
    if hunt.traffic is not None and fits(state, hunt.traffic):
        state.set_traffic(hunt.traffic)
    for number, gate in enumerate(hunt.gates):
        if gate.starts_shut:
            set_gate(state, slot, number, True)


def close_hunt(state: Partition, slot: int) -> None:
    """Closes a hunt and opens its gates."""
    change(state, slot, State.CLOSED)
    for number in range(len(state.hunts[slot].gates)):
        set_gate(state, slot, number, False)


def run_slot(state: Partition, slot: int) -> None:
    """What a tick does to one hunt slot."""
    hunt = state.hunts[slot]
    if hunt.closes > 0:
        hunt.closes = min(U32_MAX, hunt.closes + hunt.extend_by)
    bits, hunt.pending, hunt.extend_by = hunt.pending, 0, 0
    if bits & CLOSE:
        close_hunt(state, slot)
        return
    if bits & PAUSE:
        change(state, slot, State.PAUSED)
    if bits & RESUME:
        change(state, slot, State.OPEN)
    elif hunt.state == State.READY and hunt.wait == 0:
        open_hunt(state, slot)
    elif hunt.state == State.READY:
        hunt.wait -= 1
    elif hunt.state == State.OPEN:
        hunt.elapsed_ticks = min(U32_MAX, hunt.elapsed_ticks + 1)
        run_clock(state, slot)


def run_clock(state: Partition, slot: int) -> None:
    """What falls due at the hunt's new time."""
    hunt = state.hunts[slot]
    if 0 < hunt.closes <= hunt.elapsed_ticks:
        close_hunt(state, slot)
        return
    for number, gate in enumerate(hunt.gates):
        if gate.opens > 0 and hunt.elapsed_ticks == gate.opens:
            set_gate(state, slot, number, False)
        if gate.closes > 0 and hunt.elapsed_ticks == gate.closes:
            set_gate(state, slot, number, True)


def decay(state: Partition) -> None:
    """One share of a decay round; the whole round takes `period` ticks."""
    rule, edges = state.traffic, len(state.cost)
    if rule.period_ticks == 0:
        return
    k = state.tick % rule.period_ticks
    start, stop = k * edges // rule.period_ticks, (k + 1) * edges // rule.period_ticks
    for edge in (start + state.heat[start:stop].nonzero()[0]).tolist():
        heat = int(state.heat[edge])
        state.set_edge(edge, heat=heat - max(1, heat >> rule.decay_shift))


def run_tick(state: Partition) -> None:
    """50 ms of logged time, up to the TICKED event."""
    state.tick += 1
    for slot in range(HUNTS):
        run_slot(state, slot)
    decay(state)
