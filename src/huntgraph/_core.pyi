"""The native half of huntgraph. Private: use the classes of the public packages.

Rows are arrays of shape (n, 64) of bytes, one record a row, laid out as `huntgraph.schema` says.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

__all__ = [
    "BenchScene",
    "Client",
    "Engine",
    "LogReader",
    "bench_handshake",
    "bench_ring",
    "bench_sync_floor",
    "bench_udp_floor",
    "correction_rows",
    "crc32c",
    "hash_after_changes",
    "mix",
    "row_bytes",
    "seen_of",
    "settable_cells",
]

_Words = NDArray[np.uint64]
_Mask = NDArray[np.bool_]

def seen_of(updates: NDArray[Any]) -> NDArray[np.uint64]:
    """A word for each update of 64 bytes: what was seen of it."""

def mix(name: int, word: int) -> int:
    """A cell's name and word mixed: its part of the state hash (rules, section 8)."""

def settable_cells(
    names: _Words, old: _Words, new: _Words, players: int, slots: int
) -> tuple[_Words, _Words, _Words, _Mask, _Mask]:
    """Of all cells in which two states differ those that a correction may set.

    Gives names, old and new words, and whether the states have these cells, before and after.
    """

def correction_rows(
    names: _Words, words: _Words, had: _Mask, has: _Mask, correction: int
) -> NDArray[np.uint8]:
    """The CORRECT records that give cells these words, in an order that an actor can take."""

def hash_after_changes(
    names: _Words, old: _Words, new: _Words, had: _Mask, has: _Mask, before: int
) -> int:
    """The bare hash after changes to a state of bare hash `before`."""

def crc32c(data: Buffer, crc: int = 0) -> int:
    """CRC-32C (Castagnoli, RFC 3720) of `data`, continuing from `crc`."""

@final
class Client:
    """A link to one partition, with a thread of its own; `huntgraph.client` makes it awaitable."""

    def __new__(
        cls,
        address: str,
        server_name: str,
        certificate: str | os.PathLike[str],
        key: str | os.PathLike[str],
        authority: str | os.PathLike[str],
        *,
        partition: int = 0,
        world_id: int = 0,
        capacity: int = 65_536,
        client_id: int = 0,
        give_up_ms: int = 0,
    ) -> Client: ...
    def send(self, moves: NDArray[Any]) -> tuple[int, int]: ...
    def take(
        self,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int, list[tuple[Any, ...]]]: ...
    @property
    def fd(self) -> int: ...
    def statistics(self) -> dict[str, int]: ...
    def standing(self) -> tuple[bool, str]: ...
    def drain(self) -> None: ...
    def close(self) -> bool: ...

@final
class Engine:
    """One partition in this process: the same core that the actor runs."""

    def __new__(
        cls,
        first: NDArray[np.uint32],
        head: NDArray[np.uint32],
        cost: NDArray[np.uint16],
        *,
        players: int = 1024,
        fields: int = 8,
        added_edges: int = 1024,
        world_id: int = 0,
        partition: int = 0,
        halo_owner: NDArray[np.uint16] | None = None,
        halo_twin: NDArray[np.uint32] | None = None,
        parcels: int | None = None,
        journal: int = 0,
        any_prices: bool = True,
    ) -> Engine: ...
    @staticmethod
    def restore(
        saved: bytes,
        *,
        world_id: int = 0,
        journal: int = 0,
        players: int | None = None,
        added_edges: int | None = None,
    ) -> Engine: ...
    @staticmethod
    def room_of(saved: bytes) -> tuple[int, int, int, int]: ...
    def branch(self, journal: int) -> Engine: ...
    def go_back(self, head: Engine, position: int) -> None: ...
    def advance(self, records: NDArray[Any], positions: NDArray[np.uint64]) -> int: ...
    def advance_log(
        self,
        records: NDArray[Any],
        first: int,
        struck: NDArray[np.uint32],
        head: Engine | None = None,
    ) -> int: ...
    def mark(self) -> int: ...
    def undo_to(self, mark: int) -> None: ...
    def changes(
        self, head: Engine, *, everything: bool = False
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]: ...
    def save(self) -> bytes: ...
    def apply(self, records: NDArray[Any]) -> NDArray[np.uint8]: ...
    def events(self) -> NDArray[np.uint8]: ...
    def work(self, operations: int) -> int: ...
    def state_hash(self) -> int: ...
    def rehash(self) -> int: ...
    def cells(
        self, edges: bool = True, players: bool = True
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]: ...
    def players(self) -> NDArray[np.uint64]: ...
    def words(self, names: NDArray[np.uint64]) -> tuple[_Words, _Mask]: ...
    def replay(
        self,
        records: NDArray[Any],
        positions: NDArray[np.uint64],
        wins: bool = False,
        head: Engine | None = None,
        undoable: bool = False,
    ) -> NDArray[np.uint8]: ...
    def see(
        self,
        records: NDArray[Any],
        positions: NDArray[np.uint64],
        head: Engine | None = None,
    ) -> tuple[NDArray[np.uint64], int | None]: ...
    def seek(self, position: int) -> None: ...
    def weights(self) -> NDArray[np.uint16]: ...
    def closed(self) -> NDArray[np.bool_]: ...
    def edges(
        self, edges: NDArray[np.uint64] | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]: ...
    def player(
        self, player: int
    ) -> tuple[int, int, int, int, int, int, int, int, bool, int] | None: ...
    def link(self, partition: int, up: bool) -> None: ...
    def bearings(self, partition: int) -> NDArray[np.uint8]: ...
    def take_bearings(self, records: NDArray[Any]) -> None: ...
    def parcels(self, partition: int) -> NDArray[np.uint8]: ...
    def peer(self, partition: int) -> tuple[int, int, int]: ...
    @property
    def compact(self) -> bool: ...
    @property
    def position(self) -> int: ...
    @property
    def tick(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def has_work(self) -> bool: ...
    @property
    def slots(self) -> tuple[int, int]: ...
    @property
    def sizes(self) -> tuple[int, int]: ...

@final
class LogReader:
    """Records of a log directory in order."""

    def __new__(
        cls,
        directory: str | os.PathLike[str],
        *,
        partition: int = 0,
        world_id: int,
        first: int = 1,
        without: Sequence[int] = ...,
        far: bool = False,
    ) -> LogReader: ...
    def read(self, count: int = 65_536, upto: int = ...) -> tuple[int, NDArray[np.uint8]]: ...
    def first_position(self) -> int: ...
    @property
    def lost(self) -> tuple[int, int] | None: ...
    @property
    def needed(self) -> list[int]: ...
    @property
    def durable(self) -> int: ...

_Identity = tuple[os.PathLike[str], os.PathLike[str], os.PathLike[str]]
_Found = tuple[dict[str, float], dict[str, NDArray[np.uint64]]]

@final
class BenchScene:
    """What a measurement is made on: a world, an empty directory, the rows of two hunts."""

    def __new__(
        cls,
        world: str | os.PathLike[str],
        directory: str | os.PathLike[str],
        hunt: NDArray[np.uint8],
        traffic: NDArray[np.uint8],
        *,
        players: int,
        seconds: float,
    ) -> BenchScene: ...
    def apply(self, watch: Callable[[str], object]) -> _Found: ...
    def roundtrip(
        self, server: _Identity, client: _Identity, watch: Callable[[str], object]
    ) -> _Found: ...
    def frame(
        self,
        server: _Identity,
        client: _Identity,
        pace: tuple[int, int],
        watch: Callable[[str], object],
    ) -> _Found: ...
    def drive(
        self,
        address: str,
        client: _Identity,
        watch: Callable[[str], object],
        *,
        records: int,
        rate: int,
        in_flight_bytes: int,
        idle: str,
    ) -> _Found: ...

def bench_handshake(
    server: _Identity, client: _Identity, count: int, watch: Callable[[str], object]
) -> _Found: ...
def bench_ring(
    directory: str | os.PathLike[str], seconds: float, watch: Callable[[str], object]
) -> _Found: ...
def bench_udp_floor(count: int, watch: Callable[[str], object]) -> _Found: ...
def bench_sync_floor(
    directory: str | os.PathLike[str],
    size_bytes: int,
    period_s: float,
    seconds: float,
    watch: Callable[[str], object],
) -> _Found: ...
def row_bytes(world: str | os.PathLike[str], *, any_prices: bool = False) -> int:
    """Bytes of a world's rows in the image, edges' weights, heat and closings included."""
