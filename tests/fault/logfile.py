"""A plain reader of the log's files, written from docs/reference/log-format.md alone.

Nothing of the actor's is used but the layout of a move record. It follows the chain of blocks from
a place it remembers, so that reading on after a crash costs only what is new.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import MOVE

PAGE: Final = 4096
BLOCK_RECORDS: Final = 1023
SEGMENT: Final = struct.Struct("<8sHHIQQ")
BLOCK: Final = struct.Struct("<4sHHQQIIQQQII")
_WORD: Final = (1 << 64) - 1
_M: Final = 0xFF51AFD7ED558CCD
_LANES: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)
Records = NDArray[np.void]
U32 = NDArray[np.uint32]


class DamagedError(AssertionError):
    """A file of the log breaks the format where it must not."""


@dataclass(frozen=True)
class Block:
    """One block; ``records`` of dtype MOVE, shape (count,), empty for a seal."""

    epoch: int
    first: int
    durable: int
    segment: int
    page: int
    pages: int
    records: Records


@dataclass
class LogFile:
    """A partition's log in a folder, read from its start; `read` goes on where it stopped."""

    folder: Path
    world_id: int
    partition: int = 0
    segment: int = 1
    page: int = 1
    next_position: int = 1
    epoch: int = 0
    durable: int = 0
    previous: int = 0
    blocks_read: int = field(default=0)

    def __post_init__(self) -> None:
        self.previous = block_hash(struct.pack("<QHxxxxxx", self.world_id, self.partition))

    @property
    def last_position(self) -> int:
        """Position of the last record read."""
        return self.next_position - 1

    def read(self) -> list[Block]:
        """All whole blocks from here to the first place that does not continue the chain."""
        found: list[Block] = []
        while (path := self.path(self.segment)).exists():
            data = path.read_bytes()
            self._check_segment(data, path)
            end = len(data) // PAGE
            while self.page < end and (block := self._take(data)) is not None:
                found.append(block)
            if self.page < end:
                # A segment is filled to its last page before the next one begins.
                break
            self.segment, self.page = self.segment + 1, 1
        return found

    def records(self) -> Records:
        """The records of `read`, dtype MOVE, shape (n,)."""
        parts = [block.records for block in self.read()]
        return np.concatenate(parts) if parts else np.empty(0, MOVE)

    def path(self, segment: int) -> Path:
        """The file of a segment."""
        return self.folder / f"segment-{segment:010d}.log"

    def _check_segment(self, data: bytes, path: Path) -> None:
        magic, version, partition, sequence, world_id, length = SEGMENT.unpack_from(data)
        wanted = b"HGLOGSEG", 1, self.partition, self.segment, self.world_id, len(data)
        if (magic, version, partition, sequence, world_id, length) != wanted:
            raise DamagedError(f"{path.name}: the header is not that of this segment")
        (crc,) = struct.unpack_from("<I", data, 60)
        if crc32c(data[:60] + bytes(4) + data[64:PAGE]) != crc:
            raise DamagedError(f"{path.name}: the header's checksum is wrong")

    def _take(self, data: bytes) -> Block | None:
        """The block here, if it continues the chain; then the place moves behind it."""
        at = self.page * PAGE
        head = BLOCK.unpack_from(data, at)
        magic, version, partition, epoch, first, count, crc, previous, durable, _, seg, page = head
        if (magic, version, partition) != (b"HGBL", 1, self.partition) or count > BLOCK_RECORDS:
            return None
        used = 64 + 64 * count
        block = data[at : at + used]
        if len(block) < used or crc32c(block[:28] + bytes(4) + block[32:]) != crc:
            return None
        place = seg, page, first, previous
        if place != (self.segment, self.page, self.next_position, self.previous):
            return None
        if epoch < self.epoch:
            return None
        pages = -(-used // PAGE)
        if any(data[at + used : at + pages * PAGE]):
            raise DamagedError(f"segment {seg} page {page}: the padding is not zero")
        self._advance(block, pages, count, epoch, durable)
        records = np.frombuffer(block, MOVE, offset=64)
        return Block(epoch, first, durable, seg, page, pages, records)

    def _advance(self, block: bytes, pages: int, count: int, epoch: int, durable: int) -> None:
        if durable < self.durable or durable >= self.next_position + count + 1:
            raise DamagedError(f"position {self.next_position}: impossible watermark {durable}")
        self.previous, self.epoch, self.durable = block_hash(block), epoch, durable
        self.page += pages
        self.next_position += count
        self.blocks_read += 1


def block_hash(data: bytes) -> int:
    """The hash of a block's header and records, or of any whole number of 8-byte words."""
    lanes = list(_LANES)
    for i, word in enumerate(struct.unpack(f"<{len(data) // 8}Q", data)):
        mixed = (lanes[i & 3] ^ word) * _M & _WORD
        lanes[i & 3] = mixed ^ mixed >> 32
    found = len(data)
    for lane in lanes:
        mixed = (found ^ lane) * _M & _WORD
        found = mixed ^ mixed >> 32
    return found


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of bytes, 64 at a time: it is linear, so rows can be added up."""
    crc = 0xFFFF_FFFF
    whole = len(data) // 64 * 64
    if whole:
        rows = np.frombuffer(data, np.uint8, whole).reshape(-1, 64)
        shares = np.bitwise_xor.reduce(_row_table()[np.arange(64), rows], axis=1)
        over = _row_table()[:4].tolist()
        for share in shares.tolist():
            crc = share ^ (
                over[0][crc & 255]
                ^ over[1][crc >> 8 & 255]
                ^ over[2][crc >> 16 & 255]
                ^ over[3][crc >> 24]
            )
    table = _byte_table().tolist()
    for byte in data[whole:]:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFF_FFFF


@cache
def _byte_table() -> U32:
    """The change of the CRC by one byte, shape (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        odd = (table & 1).astype(bool)
        table = table >> np.uint32(1)
        table[odd] ^= np.uint32(0x82F63B78)
    return table


@cache
def _row_table() -> U32:
    """What a byte at a place of a 64-byte row adds to the CRC behind the row, shape (64, 256)."""
    table = _byte_table()
    rows = [table]
    for _ in range(63):
        last = rows[-1]
        rows.append(last >> np.uint32(8) ^ table[last & np.uint32(255)])
    return np.stack(rows[::-1])
