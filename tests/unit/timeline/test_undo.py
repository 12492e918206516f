"""What an undo gives back, and what it leaves alone."""

from __future__ import annotations

import numpy as np

from huntgraph.timeline.cells import ABSENT, NOBODY, Changes
from huntgraph.timeline.undo import Live, _back

EDGE, PLAYER, HUNT, STAGE, ADDED = (tag << 56 for tag in (1, 2, 3, 4, 10))


def committed(*cells: tuple[int, int, int], players: int = 5, slots: int = 100) -> Changes:
    columns = np.array(cells, np.uint64).T
    return Changes.between(*columns, players=players, slots=slots)


def live(changes: Changes, **words: int) -> Live:
    """What is there now: as committed, but for some cells by number."""
    now = changes.new.copy()
    for number, word in words.items():
        now[int(number[1:])] = word
    return Live(1, now, changes.has.copy())


def test_old_words_come_back_and_what_changed_since_stays() -> None:
    changes = committed((EDGE | 3, 5, 6), (EDGE | 4, 5, 7), (PLAYER | 9, 1, 3))
    back, kept = _back(changes, live(changes, _1=9), force=False)
    assert back.names.tolist() == [EDGE | 3, PLAYER | 9]
    assert (back.old.tolist(), back.new.tolist()) == ([6, 3], [5, 1])
    assert kept.tolist() == [False, True, False]
    forced, kept = _back(changes, live(changes, _1=9), force=True)
    assert (forced.old.tolist(), forced.new.tolist()) == ([6, 9, 3], [5, 5, 1])
    assert not kept.any()


def test_moves_made_since_are_no_conflict_and_are_kept() -> None:
    seat, other = 7 << 32 | 20, 8 << 32 | 20
    changes = committed((PLAYER | 2, seat, other))
    back, kept = _back(changes, live(changes, _0=8 << 32 | 26), force=False)
    assert not kept.any()
    assert back.new.tolist() == [7 << 32 | 26]


def test_what_the_commit_made_stays_but_is_empty() -> None:
    player, edge = PLAYER | 40, EDGE | 100
    given = [(player, 0, 77), (player + 4, 0, 1 << 24), (edge, 0, 9), (ADDED | 100, 0, 3)]
    changes = committed(*given)
    assert not changes.had.any()
    back, kept = _back(changes, live(changes), force=False)
    assert not kept.any()
    assert dict(zip(back.names.tolist(), back.new.tolist(), strict=True)) == {
        player + 4: int(NOBODY),
        edge: int(ABSENT),
    }


def test_stages_stay_where_their_count_changed_since() -> None:
    one, two = 3 | 1 << 8, 3 | 2 << 8
    changes = committed((HUNT | 1, one, two), (STAGE | 16, 0, 5))
    assert changes.had.tolist() == [True, False]
    back, kept = _back(changes, live(changes, _0=3 | 3 << 8), force=False)
    assert (len(back), kept.tolist()) == (0, [True, True])
