"""Corrections of the traffic rule: the weights of warm edges follow."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from huntgraph.model import Answer, Model
from huntgraph.model.state import Traffic
from huntgraph.schema import Code, Kind
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.heated import RULE as RULE_CELLS
from huntgraph.timeline.heated import Heated
from huntgraph.timeline.undo import Live, asked, ways_back
from tests.model.checker import MismatchError, engine_class
from tests.model.corrections import RULE, cells_of
from tests.model.scene import Scene, kinds, traffic
from tests.model.test_corrections import ID, changes_to, fence, raw, settle
from tests.model.worlds import Record, correction_of

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")


def warm_scene() -> Scene:
    """Four warm edges under the rule of `traffic(8, 2, 1, 0, 3)`, one of them closed; fenced."""
    scene = Scene()
    scene.open(traffic(8, 2, 1, 0, 3))
    scene.enter(1, 3)
    scene.walk(1, 2, 1, 0, 1)
    scene.send(Kind.EDGE_CLOSE, tail=2, head=1)
    scene.apply(fence())
    return scene


def rule_row(shift: int, cost: int, *more: tuple[int, int]) -> Record:
    """A row that sets the rule of a `warm_scene` with another shift and cost."""
    cells = (RULE | 6, 8 | shift << 8 | 1 << 16), (RULE | 7, cost)
    return correction_of(Kind.CORRECT, ID, *cells, *more)


def told(answer: Answer) -> list[tuple[int, int, int, int]]:
    """Tail, head, weight and closed bit of each DELTA."""
    assert answer.code == Code.OK
    assert set(kinds(answer)) <= {"DELTA"}
    return [(e.tail, e.head, e.value, e.flags) for e in answer.events]


def test_weights_of_warm_edges_follow_a_rule_that_is_set_and_come_back() -> None:
    scene = warm_scene()
    bare = scene.model.bare_hash()
    dearer = scene.apply(rule_row(2, 10))
    assert told(dearer) == [(0, 1, 25, 0), (1, 0, 25, 0), (2, 1, 27, 1), (3, 2, 25, 0)]
    assert [event.edge for event in dearer.events] == sorted(e.edge for e in dearer.events)
    assert told(scene.apply(rule_row(1, 5))) == []  # 2 * 10 = 4 * 5
    assert scene.weight(1, 2) == 7
    # The cost of the edge follows from a word by the rule in force: 7 = 12 - 5.
    word = 12 | 2 << 16
    assert told(scene.apply(correction_of(Kind.CORRECT, ID, (1 << 56 | scene.edge(1, 2), word))))
    back = scene.apply(rule_row(2, 3))
    assert told(back) == [(0, 1, 11, 0), (1, 0, 11, 0), (1, 2, 7, 0), (2, 1, 13, 1), (3, 2, 11, 0)]
    assert scene.apply(settle(ID, bare)).code == Code.HASH_MISMATCH  # 1 -> 2 is warm
    scene.apply(correction_of(Kind.CORRECT, ID, (1 << 56 | scene.edge(1, 2), 7)))
    assert scene.apply(settle(ID, bare)).code == Code.OK


def test_the_words_of_a_rule_are_set_together_and_before_all_others() -> None:
    scene = warm_scene()
    player = 2 << 56 | 1
    row = correction_of(Kind.CORRECT, ID, (player, 5), (RULE | 7, 6), (RULE | 6, 8 | 3 << 8))
    assert told(scene.apply(row)) == []  # 2 * 3 = 1 * 6: word by word the weights would move
    assert (scene.player(1).progress, scene.model.traffic.shift) == (5, 3)
    # Rise, decay and the range of costs weigh nothing, and the range may stand beside an edge.
    edge, costs = 1 << 56 | scene.edge(0, 1), (RULE | 9, 1 | 30 << 32)
    assert told(scene.apply(correction_of(Kind.CORRECT, ID, (RULE | 6, 1 | 3 << 8)))) == []
    assert told(scene.apply(correction_of(Kind.CORRECT, ID, (edge, 9), costs))) == [(0, 1, 9, 0)]


def test_a_sum_beyond_16_bits_wraps_and_never_gets_past_settle() -> None:
    scene = warm_scene()
    bare, own = scene.model.bare_hash(), (RULE | 9, 5 | 20 << 32)
    hot = 1 << 56 | scene.edge(0, 1)
    scene.apply(correction_of(Kind.CORRECT, ID, (hot, 5 + 63 * 3 | 254 << 16)))
    wrapped = scene.apply(rule_row(0, 258, (RULE | 9, 1 | 2 << 32)))
    assert told(wrapped)[0] == (0, 1, (5 + 254 * 258) % 2**16, 0)
    assert scene.weight(0, 1) == 1
    assert scene.apply(settle(ID, scene.model.bare_hash())).code == Code.BAD_CELL
    mended = scene.apply(rule_row(2, 3, own))
    assert told(mended)[0] == (0, 1, 5 + 63 * 3, 0)
    scene.apply(correction_of(Kind.CORRECT, ID, (hot, 11 | 8 << 16)))
    assert scene.apply(settle(ID, bare)).code == Code.OK


class Forgetful(Model):
    """Planted: what is kept of an edge is its weight, whatever the rule."""

    def set_traffic(self, rule: Traffic) -> None:
        weights, self.traffic = self.weights(), rule
        self.cost += weights - self.weights().astype(np.int64)


class Unsorted(Model):
    """Planted: edges are told in another order than their ids'."""

    def set_traffic(self, rule: Traffic) -> None:
        told = len(self.events)
        super().set_traffic(rule)
        self.events[told:] = reversed(self.events[told:])


@pytest.mark.parametrize("planted", [Forgetful, Unsorted])
def test_weights_that_follow_a_rule_otherwise_are_caught(planted: type[Model]) -> None:
    scene = warm_scene()
    scene.model.__class__ = planted
    with pytest.raises(MismatchError, match="event"):
        scene.apply(rule_row(2, 1))


def base_and_fork() -> tuple[Scene, Scene]:
    """Edge 0 -> 1 has the same word in both, but another cost and under another rule."""
    base = Scene(model_only=True)
    base.open(traffic(8, 2, 1, 0, 3))
    base.enter(1, 3)
    base.walk(1, 2, 1, 0, 1)
    fork = deepcopy(base)
    fork.send(Kind.EDGE_PRICE, tail=0, head=1, arg=7)
    fork.open(traffic(8, 2, 1, 0, 2), hunt=1)
    assert base.weight(0, 1) == fork.weight(0, 1) == 5 + 6 == 7 + 4
    return base, fork


def heated(model: Model) -> Heated:
    cells = cells_of(model)
    names, words = (np.array(column, np.uint64) for column in (list(cells), [*cells.values()]))
    return Heated.of(np.array([cells[int(name)] for name in RULE_CELLS], np.uint64), names, words)


def corrected(model: Model, changes: Changes) -> Code:
    """Makes changes to a model; gives what came of its SETTLE."""
    after = changes.hash_after(model.bare_hash())
    for row in [fence(), *raw(changes.rows(ID))]:
        assert model.apply(row).code == Code.OK
    return Code(model.apply(settle(ID, after)).code)


def test_an_edge_that_keeps_its_word_under_another_rule_is_set_with_it() -> None:
    base, fork = base_and_fork()
    bare, before = base.model.bare_hash(), deepcopy(base.model)
    changes = changes_to(base.model, fork.model)
    more = heated(base.model).beside(changes, stay=True)
    assert more.names.tolist() == [1 << 56 | base.edge(0, 1)]
    # Planted: it is left out.
    assert corrected(deepcopy(before), changes) == Code.HASH_MISMATCH
    assert corrected(base.model, changes.joined(more)) == Code.OK
    assert base.model.cost.tolist() == fork.model.cost.tolist()
    assert corrected(base.model, changes.joined(more).inverse()) == Code.OK
    assert base.model.bare_hash() == bare
    assert base.model.cost.tolist() == before.cost.tolist()


def live_of(model: Model, changes: Changes, edges: Heated | None) -> Live:
    cells, names = cells_of(model), asked(changes).tolist()
    words = np.array([cells.get(name, 0) for name in names], np.uint64)
    exists = np.array([name in cells for name in names])
    return Live(model.state_hash(), words, exists, True, edges)


def test_a_rule_that_is_set_back_by_force_takes_edges_along_that_warmed_since() -> None:
    base, fork = base_and_fork()
    costs, rule = base.model.cost.tolist(), base.model.traffic
    changes = changes_to(base.model, fork.model)
    changes = changes.joined(heated(base.model).beside(changes, stay=True))
    assert corrected(base.model, changes) == Code.OK
    base.walk(1, 0, 3, 0, 3)
    assert base.weight(0, 3) == 20 + 4 * 2
    for edges, code in ((None, Code.HASH_MISMATCH), (heated(base.model), Code.OK)):
        model = deepcopy(base.model)
        live = {0: live_of(model, changes, edges)}
        back, _ = ways_back({0: changes}, live, force=True)
        assert corrected(model, back[0]) == code
    assert (model.traffic, model.cost.tolist()) == (rule, costs)
    assert model.weight(base.edge(0, 3)) == 20 + 4 * 3
    # Without force the rule stays, and so do warm edges.
    live = {0: live_of(base.model, changes, None)}
    back, kept = ways_back({0: changes}, live)
    assert kept[0][np.isin(changes.names, RULE_CELLS)].all()
    assert corrected(base.model, back[0]) == Code.OK
