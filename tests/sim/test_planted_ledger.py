"""The checker of promises is checked: logs with one planted fault, and each must be reported.

The logs are small ones of 200 players, made from the seed; the ledger is that of game servers who
were promised everything but the last few moves.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.schema import MOVE, Kind
from tests.fault.ledger import (
    ALTERED,
    DOUBLED,
    EXCHANGED,
    GAP,
    LOST,
    MISPLACED,
    UNSENT,
    Ledger,
    as_logged,
    check,
)
from tests.servers import move

PLAYERS: Final = 200
MOVES: Final = 10_000
PROMISED: Final = 9_899
SERVER: Final = 0xABCDEF
Records = NDArray[np.void]
Plant = Callable[[Records, random.Random], Records]


def honest(rng: random.Random) -> tuple[Ledger, Records]:
    """A ledger and the log that keeps it: ticks and moves, each player's in order."""
    ledger, parts = Ledger(), []
    for position in range(1, MOVES + 1):
        if position % 50 == 0:
            parts.append(move(Kind.TICK, arg=position // 50))
            continue
        player = rng.randrange(PLAYERS)
        seq = len(ledger.sent.get(player, [])) + 1
        kind = Kind.ENTER if seq == 1 else Kind.GO
        ends = {"from_": rng.randrange(1000), "to": rng.randrange(1000)}
        record = move(kind, player, seq, **ends)
        ledger.send(record.tobytes(), player, seq)
        ledger.answer(position, position, player, seq)
        record["server"] = SERVER
        parts.append(record)
    ledger.durable(PROMISED)
    return ledger, np.concatenate(parts)


def some_move(log: Records, rng: random.Random, kind: Kind = Kind.GO) -> int:
    """The index of a promised move that is neither its player's first nor its last."""
    while True:
        at = rng.randrange(PROMISED - 100)
        later = log["player"][at + 1 : PROMISED] == log["player"][at]
        if log["kind"][at] == kind and later.any():
            return at


def dropped(log: Records, rng: random.Random) -> Records:
    return np.delete(log, some_move(log, rng))


def last_dropped(log: Records, rng: random.Random) -> Records:
    return log[: PROMISED - 1]


def doubled(log: Records, rng: random.Random) -> Records:
    at = some_move(log, rng)
    return np.insert(log, rng.randrange(at + 1, len(log)), log[at])


def doubled_in_place(log: Records, rng: random.Random) -> Records:
    """Applied twice, and another record lost for it: the positions behind stay as they were."""
    at, over = some_move(log, rng), MOVES - 1
    found = log.copy()
    found[over] = found[at]
    return found


def exchanged(log: Records, rng: random.Random) -> Records:
    """Two moves in 3,333 that follow each other for their player change places."""
    found = log.copy()
    for _ in range(MOVES // 3333 // 2 + 1):
        at = some_move(found, rng)
        same = np.flatnonzero(found["player"][at + 1 :] == found["player"][at])
        after = at + 1 + int(same[0])
        found[[at, after]] = found[[after, at]]
    return found


def redirected(log: Records, rng: random.Random) -> Records:
    found = log.copy()
    found["to"][some_move(log, rng)] += 1
    return found


def given_to_another(log: Records, rng: random.Random) -> Records:
    found = log.copy()
    found["player"][some_move(log, rng)] = PLAYERS + 7
    return found


def shifted(log: Records, rng: random.Random) -> Records:
    """A tick too many: every promised position behind it is another now."""
    return np.insert(log, rng.randrange(PROMISED - 100), move(Kind.TICK, arg=7)[0])


PLANTS: dict[str, tuple[Plant, set[str]]] = {
    "one durable move dropped": (dropped, {LOST, GAP, MISPLACED}),
    "the last durable move dropped": (last_dropped, {LOST, MISPLACED}),
    "one move doubled": (doubled, {DOUBLED}),
    "one move doubled over another": (doubled_in_place, {DOUBLED}),
    "two moves in 3,333 exchanged": (exchanged, {EXCHANGED, MISPLACED}),
    "one move changed": (redirected, {ALTERED}),
    "one move given to another player": (given_to_another, {UNSENT, LOST}),
    "positions shifted": (shifted, {MISPLACED}),
}
ACKED_EARLY: Final = {LOST, MISPLACED}


def test_an_honest_log_has_no_findings(rng: random.Random) -> None:
    ledger, log = honest(rng)
    assert check(ledger, log) == []
    # What was not promised may be lost with the actor.
    assert check(ledger, log[:PROMISED]) == []


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_reported(name: str, rng: random.Random) -> None:
    plant, wanted = PLANTS[name]
    for _ in range(2):
        ledger, log = honest(rng)
        found = {finding.kind for finding in check(ledger, plant(log, rng))}
        assert wanted <= found, f"reported {found}"


def test_an_acknowledgement_before_the_disk_is_reported(rng: random.Random) -> None:
    ledger, log = honest(rng)
    ledger.durable(PROMISED + 50)
    found = {finding.kind for finding in check(ledger, log[: PROMISED + 10])}
    assert found == ACKED_EARLY


def test_a_finding_names_the_player_the_move_and_the_place(rng: random.Random) -> None:
    ledger, log = honest(rng)
    at = some_move(log, rng)
    log["arg"][at] ^= 1
    (finding,) = check(ledger, log)
    player, seq = int(log["player"][at]), int(log["seq"][at])
    assert (finding.kind, finding.player, finding.seq, finding.position) == (
        ALTERED,
        player,
        seq,
        at + 1,
    )
    assert str(finding) == f"altered: player {player}, move {seq}, position {at + 1}"


def test_a_struck_move_takes_its_number(rng: random.Random) -> None:
    """What is struck while the hunt goes on is there, as another record than was sent."""
    ledger, log = honest(rng)
    at = some_move(log, rng)
    log["kind"][at] = Kind.STRIKE
    assert [finding.kind for finding in check(ledger, log)] == [ALTERED]


def test_the_server_mark_is_no_alteration() -> None:
    record = move(Kind.ENTER, 1, 1)
    plain = record.tobytes()
    record["server"] = SERVER
    assert as_logged(record.tobytes()) == plain
    assert np.frombuffer(plain, MOVE)["server"][0] == 0
