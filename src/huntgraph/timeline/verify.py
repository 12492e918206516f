"""`verify`: replays a log from its start and compares everything that was recorded on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine, Rows
from huntgraph.errors import LogDamagedError, UsageError
from huntgraph.schema import RECEIPT, Code, Kind
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.log import Log, LogRecords
from huntgraph.timeline.snapshot import ADDED_MOST, Snapshot, find_snapshots, taken_up
from huntgraph.timeline.tables import SINGLE, name_of

__all__ = ["Problem", "Verification", "check_chain", "verify"]

PLAYERS_MAX: Final = 1 << 20
"""Players a replay has room for: more than an actor's own table can hold is no problem."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The first bad `position` of a kind, and what is wrong there."""

    position: int
    what: str


@dataclass(slots=True)
class Verification:
    """What a replay found. `receipts` has dtype RECEIPT; without problems all is as recorded."""

    begin: int = 0
    """Position of the snapshot that was begun with, 0 for the log's own start."""
    positions: int = 0
    moves: int = 0
    hashes_compared: int = 0
    receipts: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, RECEIPT))
    state_hash: int = 0
    tick: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON; receipts as their count, the hash in hexadecimal."""
        return {
            "begin": self.begin,
            "positions": self.positions,
            "moves": self.moves,
            "hashes_compared": self.hashes_compared,
            "receipts": len(self.receipts),
            "state_hash": f"{self.state_hash:016x}",
            "tick": self.tick,
            "problems": [asdict(problem) for problem in self.problems],
        }


def check_chain(receipts: NDArray[np.void], start: bytes = bytes(32)) -> int | None:
    """Recompute the receipts' chain with hashlib; give the index of the first that differs.

    `receipts` has dtype RECEIPT, in order; `start` is the hash before the first (32 zero bytes at
    the beginning of a log). None: the chain is whole.
    """
    chain = start
    for index, receipt in enumerate(receipts):
        chain = hashlib.sha256(chain + receipt.tobytes()[:32]).digest()
        if chain != receipt["hash"].tobytes():
            return index
    return None


def verify(
    directory: str | Path,
    world: Rows,
    *,
    partition: int = 0,
    snapshot: Snapshot | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Replay the log in an actor's `directory` on `world` and compare what it records.

    Checks that every record takes the position it has, that every recorded state hash is met, that
    the kept hash equals the one computed anew at the end, and that the receipts form one chain.
    Stops at the first bad position. Begins at the start of the log, or at a `snapshot`, whose own
    hash is then computed anew first. `progress` gets the positions done. Records that cannot be
    read are a problem too, and a log that ends before a snapshot in the directory. Raises LogError
    when there is no log, UsageError for a snapshot of another world or version.
    """
    newest = max(find_snapshots(Path(directory)), default=0)  # the log goes on growing
    engine = Engine(world, players=PLAYERS_MAX, fields=1, added_edges=ADDED_MOST)
    found = Verification()
    if snapshot is not None:
        engine, found.begin = _restored(snapshot, world), snapshot.position
        if engine.state_hash(anew=True) != snapshot.state_hash:
            found.problems.append(Problem(snapshot.position, "the snapshot's hash is another one"))
    chain = _chain(engine)
    log = Log(directory, world_id=world.world_id, partition=partition)
    _replay_all(engine, log, found, progress)
    if found.sound and engine.position < newest:
        # A snapshot is made of what is in the log.
        what = f"records are lost: there is a snapshot at {newest}, and the log ends before"
        found.problems.append(Problem(engine.position + 1, what))
    found.state_hash, found.tick = engine.state_hash(), engine.tick
    if found.state_hash != engine.state_hash(anew=True):
        found.problems.append(Problem(engine.position, "the kept state hash is not the state's"))
    broken = check_chain(found.receipts, chain)
    if broken is not None:
        position = int(found.receipts["position"][broken])
        found.problems.append(Problem(position, "the chain of receipts is broken"))
    return found


def _restored(snapshot: Snapshot, world: Rows) -> Engine:
    try:
        room = {"players": PLAYERS_MAX, "added_edges": ADDED_MOST}
        return taken_up(snapshot, world.world_id, **room)
    except ValueError as error:
        what = f"the snapshot cannot be taken up: {error}"
        raise UsageError(what, where=snapshot.path, fix="verify from the start") from error


def _chain(engine: Engine) -> bytes:
    """The hash of the last receipt that a state knows."""
    names, words = engine.cells(edges=False)
    first = np.uint64(name_of(SINGLE, 2))
    return words[(names >= first) & (names < first + np.uint64(4))].tobytes()


def _replay_all(
    engine: Engine, log: Log, found: Verification, progress: Callable[[int], None] | None
) -> None:
    """Apply the log behind the engine's position, up to its end or the first problem."""
    receipts = []
    try:
        for records in log.records(engine.position + 1, far=True):
            _replay(engine, records, found)
            receipts.append(engine.receipts())
            engine.events()
            if progress is not None:
                progress(found.positions)
            if found.problems:
                break
    except LogDamagedError as error:
        found.problems.append(Problem(engine.position + 1, str(error)))
    found.receipts = np.concatenate(receipts) if receipts else found.receipts


def _replay(engine: Engine, records: LogRecords, found: Verification) -> None:
    """Apply one batch; note the first record that does not behave as it did."""
    updates = engine.apply(records.rows)
    misplaced = updates["position"] != records.positions
    mismatch = updates["code"] == Code.HASH_MISMATCH
    bad = np.flatnonzero(misplaced | mismatch)
    if len(bad):
        at = int(bad[0])
        what = (
            "the state hash differs from the recorded one"
            if mismatch[at]
            else f"the record is refused: {Code(int(updates['code'][at])).name}"
        )
        found.problems.append(Problem(records.first + at, what))
    found.positions = records.first + len(records.rows) - 1
    found.moves += int(records.of(*PLAYER_KINDS).sum())
    found.hashes_compared += int(records.of(Kind.HASH).sum())
