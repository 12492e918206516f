"""`Seats`: numbers of moves, player by player."""

from __future__ import annotations

import numpy as np

from huntgraph.client import Seats
from huntgraph.schema import MOVE, UPDATE, Code, Flag, Kind


def test_numbers_are_dense_for_each_player_and_edges_keep_theirs() -> None:
    moves = np.zeros(6, dtype=MOVE)
    moves["player"] = [7, 8, 7, 0, 8, 7]
    moves["kind"] = [Kind.GO, Kind.GO, Kind.CLAIM, Kind.EDGE_CLOSE, Kind.HINT, Kind.LEAVE]
    seats = Seats({8: 40})
    assert seats.number(moves) is moves
    assert moves["seq"].tolist() == [1, 41, 2, 0, 42, 3]
    assert (seats[7], seats[8], seats[9], len(seats)) == (3, 42, 0, 2)


def test_a_number_refused_without_a_position_is_given_again() -> None:
    seats = Seats()
    moves = np.zeros(3, dtype=MOVE)
    moves["player"] = [1, 2, 3]
    moves["kind"] = Kind.ENTER
    seats.number(moves)
    updates = np.zeros(3, dtype=UPDATE)
    updates["kind"] = Kind.ENTER
    updates["player"] = [1, 2, 3]
    updates["seq"] = [1, 0, 4]
    updates["position"] = [5, 0, 0]
    updates["code"] = [0, Code.UNKNOWN_HUNT, Code.DUPLICATE]
    updates["flags"] = [0, 0, Flag.DUPLICATE]
    seats.learn(updates)
    assert [seats[player] for player in (1, 2, 3)] == [1, 0, 1]
    assert seats.number(moves)["seq"].tolist() == [2, 1, 2]
