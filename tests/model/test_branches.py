"""Promise P12: branches of real histories, with borders, hunts and added edges.

A branch that goes back and replays the log is its head again; one that replays something else
differs from it by exactly the cells that an element-by-element comparison of both states finds.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.engine import Engine, Words
from huntgraph.schema import Kind
from huntgraph.timeline import tables
from tests.model.histories import honest, played
from tests.model.realm import Shore

JOURNAL = 1 << 16


def head_of(shore: Shore, rows: NDArray[np.uint8]) -> Engine:
    """An engine with a journal that has followed a log to its end."""
    engine = Engine(shore.part, players=64, journal=JOURNAL)
    assert engine.advance(rows, positions(0, len(rows))) == 0
    return engine


def positions(after: int, count: int) -> NDArray[np.uint64]:
    """The positions of records behind one."""
    return np.arange(after + 1, after + 1 + count, dtype=np.uint64)


def oracle(head: Engine, branch: Engine) -> set[tuple[int, int, int]]:
    """Compare all cells of both states; those of the borders are not told."""
    changes = tables.compare(head.cells(), branch.cells())
    mine = ~np.isin(tables.tag_of(changes.names), (tables.PARCEL, tables.PEER))
    return told((changes.names[mine], changes.old[mine], changes.new[mine]))


def told(changes: tuple[Words, ...]) -> set[tuple[int, int, int]]:
    """The same of what the core tells."""
    rows = list(zip(*(column.tolist() for column in changes), strict=True))
    assert len(set(rows)) == len(rows)
    return set(rows)


def edited(rows: NDArray[np.uint8], random: Random) -> NDArray[np.uint8]:
    """Other inputs: some players leave where they went, and some edges close."""
    rows = rows.copy()
    for at in range(len(rows)):
        if rows[at, 0] in (Kind.GO, Kind.CLAIM) and random.random() < 0.4:
            rows[at, 0] = Kind.LEAVE
        elif rows[at, 0] == Kind.EDGE_OPEN and random.random() < 0.5:
            rows[at, 0] = Kind.EDGE_CLOSE
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_a_branch_differs_by_the_cells_that_the_oracle_finds(seed: int) -> None:
    random = Random(seed)
    compared = 0
    for shore in played(seed, 900).shores:
        rows = honest(shore)
        head = head_of(shore, rows)
        branch = head.branch()
        for _ in range(4):
            position = random.randrange(len(rows) // 8, len(rows) // 2)
            branch.go_back(head, position)
            mark = branch.mark()
            later = rows[position:]
            branch.replay(later, positions(position, len(later)), undoable=True)
            assert branch.state_hash() == head.state_hash(), seed
            assert not told(branch.changes(head)), seed
            branch.undo_to(mark)
            branch.advance(edited(later, random), positions(position, len(later)))
            assert branch.state_hash() == branch.state_hash(anew=True), seed
            with pytest.raises(ValueError, match="reaches back to"):
                branch.undo_to(mark)
            found = told(branch.changes(head))
            assert found == oracle(head, branch), seed
            assert found == told(branch.changes(head, everything=True)), seed
            compared += len(found)
    assert compared > 30, compared


def test_a_comparison_that_forgets_a_kind_of_cell_is_caught() -> None:
    """Planted: the cells of stages are left out."""
    random = Random(7)
    for shore in played(3, 900).shores:
        rows = honest(shore)
        head = head_of(shore, rows)
        branch = head.branch()
        branch.go_back(head, len(rows) // 3)
        later = edited(rows[len(rows) // 3 :], random)
        branch.advance(later, positions(len(rows) // 3, len(later)))
        found = told(branch.changes(head))
        forgetful = {cell for cell in found if cell[0] >> 56 != tables.STAGE}
        if forgetful != found:
            assert forgetful != oracle(head, branch)
            return
    pytest.fail("no history changed a stage")


def test_a_head_that_went_on_is_what_a_branch_goes_back_from() -> None:
    shore = played(5, 700).shores[0]
    rows = honest(shore)
    half = len(rows) // 2
    head = head_of(shore, rows[:half])
    branch = head.branch()
    for end in range(half, len(rows), 40):
        later = rows[end : end + 40]
        head.advance(later, positions(end, len(later)))
        branch.go_back(head, end)
        branch.advance(later, positions(end, len(later)))
        assert branch.state_hash() == head.state_hash() == branch.state_hash(anew=True)


def test_a_journal_that_is_too_short_says_how_far_it_reaches() -> None:
    shore = played(5, 700).shores[0]
    rows = honest(shore)
    head = Engine(shore.part, players=64, journal=64)
    head.advance(rows, positions(0, len(rows)))
    branch = head.branch()
    with pytest.raises(ValueError, match="reaches back to position"):
        branch.go_back(head, 1)
    # It is whole again after the next try.
    branch.go_back(head, len(rows))
    assert branch.state_hash() == head.state_hash() == branch.state_hash(anew=True)
