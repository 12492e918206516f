"""Snapshot files as the actor writes them, read-only and mapped (docs/reference/log-format.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core
from huntgraph.engine import Engine
from huntgraph.errors import LogDamagedError

__all__ = [
    "ADDED_MOST",
    "PLAYERS_MOST",
    "Room",
    "Snapshot",
    "find_snapshots",
    "newest_snapshot",
    "open_snapshot",
    "taken_up",
]

PLAYERS_MOST: Final = 1 << 22
"""Players that an engine can have room for at most."""
ADDED_MOST: Final = 1 << 19
"""Edges added to the running world that it can have room for at most."""
NAME: Final = re.compile(r"snapshot-(\d{20})\.snap")
DATA_OFFSET: Final = 4096
CHUNK_BYTES: Final = 1 << 20
HEADER: Final = np.dtype(
    [
        *(("magic", "S8"), ("version", "<u4"), ("partition", "<u2"), ("spare", "<u2")),
        *(("world_id", "<u8"), ("position", "<u8"), ("tick", "<u8"), ("state_hash", "<u8")),
        *(("length", "<u8"), ("table_crc", "<u4"), ("page_crc", "<u4")),
    ]
)


@dataclass(frozen=True, slots=True)
class Room:
    """Players and edges added to the world: how many a saved state has, and has room for."""

    players: int
    players_max: int
    added_edges: int
    added_edges_max: int

    @classmethod
    def of(cls, saved: bytes) -> Self:
        """Read it off a state that `Engine.save` gave. Raises ValueError when it is none."""
        return cls(*_core.Engine.room_of(saved))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A whole snapshot; `image` is the file's own memory, shape (bytes,), read-only."""

    path: Path
    partition: int
    world_id: int
    position: int
    tick: int
    state_hash: int
    image: NDArray[np.uint8]


def find_snapshots(directory: Path) -> dict[int, Path]:
    """Give the snapshot files of an actor's directory by position, oldest first."""
    files = sorted((directory / "snapshots").glob("*.snap"))
    names = {path: NAME.fullmatch(path.name) for path in files}
    return {int(match[1]): path for path, match in names.items() if match}


def newest_snapshot(directory: Path, upto: int) -> Snapshot | None:
    """Give the newest whole snapshot at or before a position, None when there is none."""
    found = find_snapshots(directory)
    for position in sorted(found, reverse=True):
        if position <= upto:
            try:
                return open_snapshot(found[position])
            except LogDamagedError:
                continue  # an older one does as well: more of the log is replayed
    return None


def open_snapshot(path: Path) -> Snapshot:
    """Map a snapshot and check every byte. Raises LogDamagedError when it is not whole."""
    try:
        raw = np.memmap(path, np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise _damaged(path, f"it cannot be read: {error}") from error
    if len(raw) < DATA_OFFSET:
        raise _damaged(path, "it is shorter than its header")
    head = raw[: HEADER.itemsize].view(HEADER)[0]
    page = np.array(raw[:DATA_OFFSET])
    page[60:64] = 0
    if head["magic"] != b"HGSNAP" or _core.crc32c(page.data) != int(head["page_crc"]):
        raise _damaged(path, "its header is not whole")
    length = int(head["length"])
    table_at = DATA_OFFSET + (length + 7) // 8 * 8
    chunks = -(-length // CHUNK_BYTES)
    table = np.array(raw[table_at : table_at + 4 * chunks])
    if len(raw) != table_at + 4 * chunks or _core.crc32c(table.data) != int(head["table_crc"]):
        raise _damaged(path, "its table of checksums is not whole")
    image = raw[DATA_OFFSET : DATA_OFFSET + length]
    for number, crc in enumerate(table.view("<u4").tolist()):
        if _core.crc32c(image[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES].data) != crc:
            raise _damaged(path, f"MiB {number} of its image was changed")
    names = ("partition", "world_id", "position", "tick", "state_hash")
    return Snapshot(path, **{name: int(head[name]) for name in names}, image=image)


def taken_up(
    snapshot: Snapshot, world_id: int, *, players: int, added_edges: int, journal: int = 0
) -> Engine:
    """Give an engine in a snapshot's state, with room for so many more players and added edges.

    The log behind it may be that of an actor with more room than the one it was made for. Raises
    ValueError when it is of another world or version.
    """
    image = snapshot.image.tobytes()
    room = Room.of(image)
    return Engine.restore(
        image,
        world_id=world_id,
        journal=journal,
        players=max(room.players_max, min(room.players + players, PLAYERS_MOST)),
        added_edges=max(room.added_edges_max, min(room.added_edges + added_edges, ADDED_MOST)),
    )


def _damaged(path: Path, what: str) -> LogDamagedError:
    fix = "older snapshots and the log give the same state; remove this file"
    return LogDamagedError(f"no whole snapshot: {what}", where=path, fix=fix)
