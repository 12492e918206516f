"""Costs of a compact partition: as many different ones as it tells apart, and one more is refused.

Edges change their prices, come and go, until nearly every change would be one cost too many;
engine and model agree on which is, and on all else.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from huntgraph.model import Answer
from huntgraph.schema import PRICES, Code, Kind
from tests.model.checker import MismatchError, Pair, engine_class
from tests.model.strategies import next_records
from tests.model.worlds import Record, correction_of, grid_world, record_of

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")

WIDTH = 14
GREATEST = 9
"""Greatest cost of the world."""


def a_pair(*, any_prices: bool = False, seed: int = 1) -> Pair:
    pair = Pair(grid_world(Random(seed), WIDTH, WIDTH, GREATEST), any_prices=any_prices)
    assert pair.engine.compact is not any_prices
    return pair


def real_edges(pair: Pair) -> list[int]:
    return [int(edge) for edge in pair.model.cost.nonzero()[0]]


def edge_record(pair: Pair, kind: Kind, edge: int, cost: int = 0) -> Record:
    tail, head = int(pair.model.tail[edge]), int(pair.model.head[edge])
    return record_of(kind, tail=tail, head=head, arg=cost)


def price(pair: Pair, edge: int, cost: int) -> Answer:
    return pair.apply([edge_record(pair, Kind.EDGE_PRICE, edge, cost)])[0]


def fill(pair: Pair) -> dict[int, int]:
    """Give edges costs of their own until there are as many as can be told apart: cost -> edge."""
    filled = {}
    known = set(pair.model.cost.tolist()) - {0}
    often = Counter(pair.model.cost.tolist())
    for edge in real_edges(pair):
        if len(known) == PRICES:
            break
        if often[int(pair.model.cost[edge])] > 1:
            often[int(pair.model.cost[edge])] -= 1
            filled[1_000 + edge] = edge
            known.add(1_000 + edge)
            assert price(pair, edge, 1_000 + edge).code == Code.OK
    assert len(known) == PRICES
    return filled


def test_one_cost_more_than_can_be_told_apart_is_refused_until_one_has_gone() -> None:
    pair = a_pair()
    filled = fill(pair)
    edges = [edge for edge in real_edges(pair) if pair.model.cost[edge] <= GREATEST]
    before = pair.model.state_hash()
    refused = price(pair, edges[0], 77)
    assert (refused.code, refused.position) == (Code.PRICES_FULL, 0)
    assert pair.model.state_hash() == before
    cost, edge = next(iter(filled.items()))
    assert price(pair, edges[0], cost).code == Code.OK, "another edge has that cost"
    assert price(pair, edge, 5).code == Code.OK
    assert price(pair, edges[1], 77).code == Code.PRICES_FULL, "an edge has the old cost yet"
    assert pair.apply([edge_record(pair, Kind.EDGE_REMOVE, edges[0])])[0].code == Code.OK
    assert price(pair, edges[1], 77).code == Code.OK
    assert price(pair, edges[2], 78).code == Code.PRICES_FULL
    pair.compare_state()
    pair.restart()
    assert price(pair, edges[2], 78).code == Code.PRICES_FULL


def test_an_edge_that_costs_too_much_else_takes_no_slots() -> None:
    pair = a_pair()
    fill(pair)
    slots = len(pair.model.head)
    add = record_of(Kind.EDGE_ADD, tail=0, head=WIDTH * WIDTH - 1, arg=77)
    assert pair.apply([add])[0].code == Code.PRICES_FULL
    pair.compare_state()
    assert len(pair.model.head) == slots


def test_a_row_of_a_correction_has_room_for_all_its_costs_or_for_none() -> None:
    pair = a_pair()
    (_, edge), *_ = fill(pair).items()
    one, two = [e for e in real_edges(pair) if pair.model.cost[e] <= GREATEST][:2]
    assert price(pair, edge, 5).code == Code.OK, "there is room for one"
    cells = [(1 << 56 | one, 70), (1 << 56 | two, 71)]
    pair.apply([correction_of(Kind.FENCE, 7, count=0)])
    refused = pair.apply([correction_of(Kind.CORRECT, 7, *cells)])[0]
    assert (refused.code, refused.position) == (Code.PRICES_FULL, 0)
    alike = [(name, 70) for name, _ in cells]
    assert pair.apply([correction_of(Kind.CORRECT, 7, *alike)])[0].code == Code.OK
    pair.compare_state()


def test_the_other_form_has_room_for_any_cost() -> None:
    pair = a_pair(any_prices=True)
    edges = real_edges(pair)
    assert len(edges) > 2 * PRICES
    codes = {price(pair, edge, 1_000 + edge).code for edge in edges}
    assert codes == {Code.OK}
    pair.compare_state()


@pytest.mark.seeds(1, 2)
def test_histories_with_more_costs_than_can_be_told_apart(seed: int) -> None:
    print(f"seed {seed}")
    rng, pair = Random(seed), a_pair(seed=seed)
    for number in range(400):
        edges = rng.sample(range(len(pair.model.head)), 12)
        dear = [edge_record(pair, Kind.EDGE_PRICE, edge, rng.randint(1, 200)) for edge in edges]
        gone = [edge_record(pair, Kind.EDGE_REMOVE, edge) for edge in edges[:2]]
        back = [edge_record(pair, Kind.EDGE_ADD, edge, rng.randint(1, 200)) for edge in edges[1:3]]
        pair.apply([*dear, *gone, *back, *next_records(rng, pair.model)])
        if number % 40 == 0:
            pair.compare_state()
            pair.restart()
    seen = pair.seen
    for kind in (Kind.EDGE_PRICE, Kind.EDGE_ADD):
        assert seen[f"kind {kind}, code {Code.PRICES_FULL}"] > 20, seen
        assert seen[f"kind {kind}, code {Code.OK}"] > 20, seen


def test_a_table_of_costs_that_is_one_too_small_is_caught() -> None:
    pair = a_pair()
    pair.model.prices_max = PRICES - 1
    edges = real_edges(pair)
    records = [edge_record(pair, Kind.EDGE_PRICE, edge, 1_000 + edge) for edge in edges]
    with pytest.raises(MismatchError, match=r"update\.code"):
        pair.apply(records)
