"""Edge records: closing, opening, pricing, removing, adding (rules, section 2)."""

from __future__ import annotations

from huntgraph.model.state import Partition, Refused
from huntgraph.schema import COST_MAX, HEAT_MAX, WEIGHT_MAX, Code, Kind


def edge_record(state: Partition, move: dict[str, int]) -> None:
    """Applies any record of kinds EDGE_CLOSE to EDGE_ADD."""
    kind, tail, head = move["kind"], move["from"], move["to"]
    if kind == Kind.EDGE_ADD:
        add(state, tail, head, move["arg"])
        return
    edge = state.find_edge_checked(tail, head)
    if kind == Kind.EDGE_PRICE:
        check_cost(state, move["arg"])
        check_price(state, move["arg"])
        state.set_edge(edge, cost=move["arg"])
        widen_costs(state, move["arg"])
    elif kind == Kind.EDGE_REMOVE:
        state.set_edge(edge, cost=0, heat=0, closed=True)
    else:
        state.set_edge(edge, closed=kind == Kind.EDGE_CLOSE)


def add(state: Partition, tail: int, head: int, cost: int) -> None:
    """Makes an absent slot real, a new one if there is none."""
    if tail >= state.own_nodes or head >= state.nodes:
        raise Refused(Code.UNKNOWN_NODE)
    if tail == head:
        raise Refused(Code.BAD_EDGE)
    check_cost(state, cost)
    edge = state.find_slot(tail, head)
    if edge is not None and state.cost[edge] > 0:
        raise Refused(Code.EDGE_EXISTS)
    check_price(state, cost)
    if edge is None:
        edge = state.add_slots(tail, head)
    state.set_edge(edge, cost=cost, closed=False)
    widen_costs(state, cost)


def check_cost(state: Partition, cost: int) -> None:
    """Refuses a cost out of range, alone or with the greatest heat."""
    if not 1 <= cost <= COST_MAX or cost + state.traffic.term(HEAT_MAX) > WEIGHT_MAX:
        raise Refused(Code.BAD_COST)


def check_price(state: Partition, cost: int) -> None:
    """Refuses a cost that would be one too many."""
    if not state.has_room(cost):
        raise Refused(Code.PRICES_FULL)


def widen_costs(state: Partition, cost: int) -> None:
    """Keeps the least and greatest cost ever set."""
    never = state.cost_max == 0
    state.cost_min = cost if never else min(state.cost_min, cost)
    state.cost_max = max(state.cost_max, cost)
