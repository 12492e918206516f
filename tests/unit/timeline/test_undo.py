"""What an undo gives back, and what it leaves alone."""

from __future__ import annotations

import numpy as np

from huntgraph.timeline.cells import ABSENT, NOBODY, Changes, Mask
from huntgraph.timeline.undo import Live, ways_back

EDGE, PLAYER, HUNT, STAGE, ADDED = (tag << 56 for tag in (1, 2, 3, 4, 10))


def committed(*cells: tuple[int, int, int], players: int = 5, slots: int = 100) -> Changes:
    columns = np.array(cells, np.uint64).T
    return Changes.between(*columns, players=players, slots=slots)


def undone(
    changes: Changes, *, force: bool = False, other_rule: bool = False, **words: int
) -> tuple[Changes, Mask]:
    """The way back, and what is kept, when all is as committed but for some cells by number."""
    now = changes.new.copy()
    for number, word in words.items():
        now[int(number[1:])] = word
    owners = np.full(len(now), 66, np.uint64)
    both = np.concatenate([now, owners]), np.concatenate([changes.has, changes.has])
    back, kept = ways_back({0: changes}, {0: Live(1, *both, other_rule)}, force=force)
    return back[0], kept[0]


def test_old_words_come_back_and_what_changed_since_stays() -> None:
    changes = committed((EDGE | 3, 5, 6), (EDGE | 4, 5, 7), (PLAYER | 9, 1, 3))
    back, kept = undone(changes, _1=9)
    assert back.names.tolist() == [EDGE | 3, PLAYER | 9]
    assert (back.old.tolist(), back.new.tolist()) == ([6, 3], [5, 1])
    assert kept.tolist() == [False, True, False]
    forced, kept = undone(changes, _1=9, force=True)
    assert (forced.old.tolist(), forced.new.tolist()) == ([6, 9, 3], [5, 5, 1])
    assert not kept.any()


def test_moves_made_since_are_no_conflict_and_are_kept() -> None:
    seat, other = 7 << 32 | 20, 8 << 32 | 20
    changes = committed((PLAYER | 2, seat, other))
    back, kept = undone(changes, _0=8 << 32 | 26)
    assert not kept.any()
    assert back.new.tolist() == [7 << 32 | 26]


def test_what_the_commit_made_stays_but_is_empty() -> None:
    player, edge = PLAYER | 40, EDGE | 100
    given = [(player, 0, 77), (player + 4, 0, 1 << 24), (edge, 0, 9), (ADDED | 100, 0, 3)]
    changes = committed(*given)
    assert not changes.had.any()
    back, kept = undone(changes)
    assert not kept.any()
    assert dict(zip(back.names.tolist(), back.new.tolist(), strict=True)) == {
        player + 4: int(NOBODY),
        edge: int(ABSENT),
    }


def test_stages_stay_where_their_count_changed_since() -> None:
    one, two = 3 | 1 << 8, 3 | 2 << 8
    changes = committed((HUNT | 1, one, two), (STAGE | 16, 0, 5))
    assert changes.had.tolist() == [True, False]
    back, kept = undone(changes, _0=3 | 3 << 8)
    assert (len(back), kept.tolist()) == (0, [True, True])


def test_a_player_whose_place_changed_since_is_left_where_it_is_everywhere() -> None:
    """It was here, the commit put it into partition 1, and there it has gone on since."""
    here = committed((PLAYER | 4, 1 << 24, 2 << 56))
    there = committed((PLAYER | 10, 5 << 32, 7 << 32), (PLAYER | 12, 0, 1 << 24), (EDGE | 3, 5, 6))
    seen = {0: [*here.new.tolist(), 66], 1: [8 << 32, 1 << 24, 6, 66, 66, 6]}
    live = {n: Live(1, np.array(w, np.uint64), np.ones(len(w), bool)) for n, w in seen.items()}
    for force in (False, True):
        back, kept = ways_back({0: here, 1: there}, live, force=force)
        moved = [] if not force else [PLAYER | 10, PLAYER | 12]
        assert back[1].names.tolist() == [*moved, EDGE | 3]
        assert kept[0].tolist() == [not force]


def test_a_player_brought_into_another_hunt_keeps_all_of_it_or_nothing() -> None:
    """The commit put it into hunt 7, where it has moved, or scored, or done nothing since."""
    none, joined = 255 << 8 | 1 << 24, 7 << 8 | 1 << 24
    words = [(1, 0, 1), (2, 3 << 32, 4 << 32), (3, 0, 10), (4, none, joined), (6, 0, 2)]
    changes = committed(*((PLAYER | 8 | word, old, new) for word, old, new in words))
    for back, kept in (undone(changes, _1=5 << 32), undone(changes, _2=30)):
        assert (len(back), kept.tolist()) == (0, [True] * 5)
    assert undone(changes)[0].new.tolist() == [old for _, old, _ in words]


def test_a_player_who_stays_in_its_hunt_keeps_only_what_changed_since() -> None:
    changes = committed((PLAYER | 9, 1, 3), (PLAYER | 10, 3 << 32, 4 << 32), (PLAYER | 11, 1, 2))
    back, kept = undone(changes, _1=5 << 32)
    assert (back.names.tolist(), kept.tolist()) == ([PLAYER | 9, PLAYER | 11], [False, True, False])


def test_edges_that_were_warm_stay_under_another_traffic_rule() -> None:
    changes = committed((EDGE | 3, 5 | 2 << 16, 6), (EDGE | 4, 5, 7 | 1 << 16))
    back, kept = undone(changes, other_rule=True)
    assert (back.names.tolist(), kept.tolist()) == ([EDGE | 4], [True, False])
    assert len(undone(changes)[0]) == 2
