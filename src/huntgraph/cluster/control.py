"""The control socket of an actor: the protocol's frames over a Unix stream socket.

Only the owner of the actor's folder can open it. Hunts are published, paused, resumed, extended
and closed here, and an actor tells its status.
"""

from __future__ import annotations

import asyncio
import os
import select
import struct
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ActorError, RefusedError
from huntgraph.schema import (
    CODE_TEXT,
    CORRECTION,
    FRAME,
    FRAME_RECORDS,
    MOVE,
    RECEIPT,
    RULE,
    SLOT,
    STANDING,
    UPDATE,
    WELCOME,
    Code,
    Frame,
    Kind,
)

__all__ = [
    "Answers",
    "Asked",
    "Control",
    "Request",
    "Standings",
    "Status",
    "control_move",
    "orders",
    "refuse",
]

TIMEOUT_S: Final = 30.0
DRAIN_TIMEOUT_S: Final = 60.0
READ: Final = 1 << 16
CLOSED: Final = "the actor closed the connection"
HEADER: Final = struct.Struct("<IHHQ")
"""`FRAME` in one look: length, kind, count, first."""
_NO_HUNT: Final = 65535

Asked = asyncio.Future[tuple[int, bytes]]
"""What holds `first` and the body of an answer once it is there."""


class Request(NamedTuple):
    """A frame to an actor, and the kind of the frame that answers it."""

    kind: Frame
    answer: Frame = Frame.WELCOME
    records: NDArray[np.void] | None = None
    first: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """What an actor says of itself; positions are those of its log."""

    version: int
    partition: int
    world_id: int
    position: int
    durable: int
    epoch: int
    tick: int
    frame_records: int
    in_flight: int
    nodes: int
    state_hash: int
    parcels: int
    flags: int

    @property
    def held(self) -> bool:
        """Whether a control connection holds moves and ticks back."""
        return bool(self.flags & 1)

    @property
    def fenced(self) -> bool:
        """Whether a correction is under way: moves and ticks wait until it is settled."""
        return bool(self.flags & 2)

    @property
    def part(self) -> bool:
        """Whether the world is a part of a greater one: then parcels come and go."""
        return bool(self.flags & 4)

    @classmethod
    def from_record(cls, record: NDArray[np.void]) -> Self:
        """Read a record of dtype WELCOME, shape ``(1,)``."""
        return cls(**dict(zip(WELCOME.names or (), record[0].item(), strict=True)))

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read the body of a WELCOME. Raises ActorError HG1452 when it is none."""
        return cls.from_record(_records(body, WELCOME))

    def to_dict(self) -> dict[str, int | str]:
        """Give the fields, JSON-ready; ids and hashes as 16 hex digits."""
        plain: dict[str, int | str] = {
            name: getattr(self, name) for name in self.__dataclass_fields__
        }
        del plain["flags"]
        plain |= {"held": self.held, "fenced": self.fenced}
        plain["world_id"] = f"{self.world_id:016x}"
        plain["state_hash"] = f"{self.state_hash:016x}"
        return plain


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to control records: ``updates`` (dtype UPDATE, one a record) and ``receipts``."""

    updates: NDArray[np.void]
    receipts: NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Standings:
    """How hunts stand in a partition: all ``slots`` (dtype SLOT), and ``stages`` (STANDING)."""

    slots: NDArray[np.void]
    stages: NDArray[np.void]


class _Frames(asyncio.Protocol):
    """The frames of one connection: what came is handed to those who wait, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False
        self._bytes = bytearray()
        self._waiting: deque[tuple[Frame, asyncio.Future[tuple[int, bytes]]]] = deque()

    def answer(self, kind: Frame) -> asyncio.Future[tuple[int, bytes]]:
        """Give what will hold `first` and the body of the next frame of a kind not yet awaited."""
        waiter = asyncio.get_running_loop().create_future()
        if self.closed:
            waiter.set_exception(_broken(self.path, CLOSED))
        else:
            self._waiting.append((kind, waiter))
        return waiter

    def data_received(self, data: bytes) -> None:
        """Take whole frames out of what came."""
        self._bytes += data
        while len(self._bytes) >= FRAME.itemsize:
            length, kind, count, first = HEADER.unpack_from(self._bytes)
            if length > FRAME_RECORDS * 2 * 64:
                return self.fail(_broken(self.path, f"a frame of {length} bytes"))
            end = FRAME.itemsize + length
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[FRAME.itemsize : end])
            del self._bytes[:end]
            self._take(kind, count, first, body)

    def _take(self, kind: int, count: int, first: int, body: bytes) -> None:
        """Judge a frame; durable and drain notices may come between answers."""
        if self._waiting and kind == self._waiting[0][0]:
            waiter = self._waiting.popleft()[1]
            if not waiter.done():
                waiter.set_result((first, body))
        elif kind == Frame.FAILED:
            what = body.decode("utf-8", "replace") or CODE_TEXT.get(count, ("refused", ""))[0]
            fix = CODE_TEXT.get(count, ("", ""))[1]
            self.fail(RefusedError(count, what, where=self.path, fix=fix))
        elif kind not in (Frame.DURABLE, Frame.DRAIN):
            self.fail(_broken(self.path, f"an unexpected frame of kind {kind}"))

    def eof_received(self) -> None:
        """The actor has closed."""
        self.fail(_broken(self.path, CLOSED))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all who still wait."""
        self.fail(_broken(self.path, CLOSED))

    def fail(self, error: Exception) -> None:
        """Nothing more comes of this connection: whoever waits gets the error."""
        self.closed = True
        while self._waiting:
            waiter = self._waiting.popleft()[1]
            if not waiter.done():
                waiter.set_exception(error)


class Control:
    """A connection to an actor's control socket; use as ``async with await Control.open(path)``.

    Requests may be made before earlier ones are answered: the actor takes them in order.
    """

    def __init__(self, path: Path, frames: _Frames, transport: asyncio.Transport) -> None:
        self.path = path
        self._frames = frames
        self._transport = transport
        self._sent = 0
        self._fd: int = transport.get_extra_info("socket").fileno()
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    @classmethod
    async def open(cls, path: str | Path, *, timeout_s: float = TIMEOUT_S) -> Self:
        """Connect to ``control.sock``. Raises ActorError HG1450 when nobody answers there."""
        place = Path(path)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                transport, frames = await loop.create_unix_connection(
                    lambda: _Frames(place), str(place)
                )
        except (OSError, TimeoutError) as error:
            raise ActorError(
                f"no actor answers on the control socket: {str(error) or 'no answer in time'}",
                where=place,
                fix="start it with huntgraph serve, or name the folder it was started with",
                code="HG1450",
            ) from error
        return cls(place, frames, transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; the actor goes on."""
        self._transport.close()

    @property
    def closed(self) -> bool:
        """Whether this connection is over."""
        return self._frames.closed or self._transport.is_closing()

    async def status(self) -> Status:
        """Ask the actor how it is."""
        return await self._welcome(Frame.STATUS)

    async def _welcome(self, kind: Frame, first: int = 0) -> Status:
        return Status.from_body(await self._ask(Request(kind, first=first)))

    async def hold(self) -> Status:
        """Have moves and ticks wait until `release`, or until this connection is over."""
        return await self._welcome(Frame.HOLD)

    async def release(self) -> Status:
        """Let moves and ticks go on."""
        return await self._welcome(Frame.RELEASE)

    async def drop(self, position: int) -> Status:
        """Let segments of the log go that hold no position behind this one, when it is durable."""
        return await self._welcome(Frame.DROP, position)

    async def hunts(self) -> Standings:
        """Ask how the hunts stand in this partition."""
        body = await self._ask(Request(Frame.HUNTS, Frame.HUNTS))
        rows = np.frombuffer(body, np.uint8).reshape(-1, 64)
        is_slot = rows[:, 0] == 1
        slots, stages = rows[is_slot].reshape(-1), rows[~is_slot].reshape(-1)
        return Standings(slots.view(SLOT), stages.view(STANDING))

    async def send(self, records: NDArray[np.void]) -> Answers:
        """Send records of dtype MOVE, RULE or CORRECTION, shape ``(n,)``; gives their answers.

        A refused record is an update with its code, not an exception; see `refuse`.
        """
        if records.dtype not in (MOVE, RULE, CORRECTION) or records.ndim != 1:
            raise ValueError(f"records must be MOVE, RULE or CORRECTION, not {records.dtype}")
        bodies = [await self._ask(request) for request in orders(records)]
        rows = np.frombuffer(b"".join(bodies), dtype=np.uint8).reshape(-1, 64)
        proof = rows[:, 0] == Kind.RECEIPT
        updates = rows[~proof].reshape(-1).view(UPDATE)
        if len(updates) != len(records):
            raise _broken(self.path, f"{len(updates)} answers to {len(records)} records")
        return Answers(updates, rows[proof].reshape(-1).view(RECEIPT))

    def post(self, requests: Iterable[Request]) -> list[Asked]:
        """Send requests together, and wait for nothing: what will hold the answer to each.

        An actor answers them in order, but SYNC, whose answer comes when it can: it is to be the
        last one, with nothing behind it before its answer is there.
        """
        waiters, frames = list[Asked](), list[bytes]()
        for kind, answer, records, first in requests:
            waiters.append(self._frames.answer(answer))
            body = b"" if records is None else records.tobytes()
            count = len(body) // 64
            frames += HEADER.pack(len(body), kind, count, self._sent + 1 if count else first), body
            self._sent += count
        self._transport.write(b"".join(frames))
        return waiters

    def read_now(self, answers: Iterable[Asked], by: float) -> None:
        """Read answers here and now, without a turn of the event loop for each.

        What has not come until the time `by` of `time.monotonic`, and the end of a connection, are
        left to the loop.
        """
        with suppress(OSError):
            while not (self.closed or all(each.done() for each in answers)):
                left_s = by - time.monotonic()
                if left_s <= 0 or self._transport.get_write_buffer_size():
                    return
                if not self._poll.poll(1000 * left_s) or not (data := os.read(self._fd, READ)):
                    return
                self._frames.data_received(data)

    async def drain(self, *, timeout_s: float = DRAIN_TIMEOUT_S) -> int:
        """Have the actor make all durable and end; gives the durable position."""
        durable, _ = await self._exchange(Request(Frame.DRAIN, Frame.DURABLE), timeout_s)
        return durable

    async def _ask(self, request: Request) -> bytes:
        return (await self._exchange(request, TIMEOUT_S))[1]

    async def _exchange(self, request: Request, timeout_s: float) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(timeout_s):
                (answer,) = self.post([request])
                return await answer
        except TimeoutError as error:
            raise self.give_up(timeout_s) from error

    def give_up(self, timeout_s: float) -> ActorError:
        """End a connection on which no answer came in time; gives the error to be raised."""
        # The answer may still come and would be taken for that to the next request.
        self._transport.abort()
        return ActorError(
            f"no answer within {timeout_s:g} s",
            where=self.path,
            fix="the actor may be busy: look at /readyz, then try again",
            code="HG1451",
        )


def orders(records: NDArray[np.void]) -> list[Request]:
    """Give the requests that send records, in frames as long as a frame may be."""
    parts = (records[at : at + FRAME_RECORDS] for at in range(0, len(records), FRAME_RECORDS))
    return [Request(Frame.CONTROL, Frame.UPDATES, part) for part in parts]


def control_move(kind: Kind, slot: int = _NO_HUNT, **fields: int) -> NDArray[np.void]:
    """Make one record of dtype MOVE, shape ``(1,)``; ``from_`` and ``from`` mean the same field."""
    move = np.zeros(1, dtype=MOVE)
    move["kind"], move["hunt"] = kind, slot
    for name, value in fields.items():
        move[name.rstrip("_")] = value
    return move


def refuse(answers: Answers, where: object = "") -> Answers:
    """Raise RefusedError for the first answer that is not done; else give the answers back."""
    codes = answers.updates["code"]
    wrong = np.flatnonzero(codes != Code.OK)
    if len(wrong):
        at = int(wrong[0])
        number = int(codes[at])
        what, fix = CODE_TEXT.get(number, (f"refused with code {number}", ""))
        which = f"record {at}: " if len(codes) > 1 else ""
        raise RefusedError(number, which + what, where=where, fix=fix)
    return answers


def _records(body: bytes, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    if len(body) != dtype.itemsize:
        raise ActorError(f"an answer of {len(body)} bytes, wanted 64", code="HG1452")
    return np.frombuffer(body, dtype=dtype)


def _broken(path: Path, what: str) -> ActorError:
    fix = "look at the actor's messages, and start it again if it has ended"
    return ActorError(what, where=path, fix=fix, code="HG1452")
