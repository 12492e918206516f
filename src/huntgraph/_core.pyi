"""The native half of huntgraph. Private: use the classes of the public packages.

Rows are arrays of shape (n, 64) of bytes, one record a row, laid out as `huntgraph.schema` says.
"""

import os
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

def crc32c(data: Buffer, crc: int = 0) -> int:
    """CRC-32C (Castagnoli, RFC 3720) of `data`, continuing from `crc`."""

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
        world_id: int = 0,
    ) -> Engine: ...
    @staticmethod
    def restore(saved: bytes, *, world_id: int = 0) -> Engine: ...
    def save(self) -> bytes: ...
    def apply(self, records: NDArray[Any]) -> NDArray[np.uint8]: ...
    def events(self) -> NDArray[np.uint8]: ...
    def work(self, operations: int) -> int: ...
    def state_hash(self) -> int: ...
    def rehash(self) -> int: ...
    def weights(self) -> NDArray[np.uint16]: ...
    def closed(self) -> NDArray[np.bool_]: ...
    def player(self, id: int) -> tuple[int, int, int, int, int, int, int, int, bool] | None: ...
    @property
    def position(self) -> int: ...
    @property
    def tick(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def has_work(self) -> bool: ...
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
    ) -> LogReader: ...
    def read(self, count: int = 65_536) -> tuple[int, NDArray[np.uint8]]: ...
    @property
    def durable(self) -> int: ...
