"""Promise P13: ten thousand rollbacks of a branch leave no memory taken, and always one state."""

from __future__ import annotations

from typing import Any

import numpy as np

from huntgraph.engine import Engine, move, ticks
from huntgraph.schema import Kind
from huntgraph.world import generate
from tests.unit.timeline.resident import alone, resident_bytes

ROLLBACKS, WARM_UP = 10_000, 500
PLAYERS, STEPS = 50, 8
ALLOWED_BYTES = 1 << 20


def history(world: Any) -> np.ndarray[Any, Any]:
    """Rows of moves: everyone enters, and goes along some edge again and again."""
    who, at = np.arange(PLAYERS), np.arange(PLAYERS) * 7
    parts = [ticks(1), move(Kind.ENTER, player=who + 1, seq=1, to=at)]
    for step in range(STEPS):
        to = world.head[world.first[at]]
        parts.append(move(Kind.GO, player=who + 1, seq=step + 2, from_=at, to=to))
        parts.append(ticks(step + 2))
        at = to
    return np.concatenate(parts).view(np.uint8).reshape(-1, 64)


def roll_back(count: int, kept: list[Any] | None = None) -> int:
    """Roll some moves back so often; gives the bytes that are taken more than after the first."""
    world = generate(edges=2_000, seed=3)
    rows = history(world)
    positions = np.arange(1, len(rows) + 1, dtype=np.uint64)
    head = Engine(world, players=PLAYERS, journal=1 << 12)
    assert head.advance(rows, positions) == 0
    branch, point = head.branch(), PLAYERS + 1
    edited = rows[point:].copy()
    edited[edited[:, 0] == Kind.GO, 0] = Kind.STRIKE
    before, hashes = 0, set()
    for number in range(count):
        if number == WARM_UP:
            before = resident_bytes()
        branch.go_back(head, point)
        branch.advance(edited, positions[point:])
        found = branch.changes(head)
        hashes.add((branch.state_hash(), len(found[0])))
        if kept is not None:
            kept.append((found, branch.save()))
    assert len(hashes) == 1
    return resident_bytes() - before


def test_ten_thousand_rollbacks_leave_no_memory_taken() -> None:
    assert alone(roll_back, ROLLBACKS) < ALLOWED_BYTES


def test_rollbacks_that_keep_what_they_found_are_caught() -> None:
    assert alone(roll_back, 6 * WARM_UP, []) > 4 * ALLOWED_BYTES
