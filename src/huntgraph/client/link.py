"""`Link`: the asyncio side of a client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph._core import Client
from huntgraph.client.answers import U8, Answers, Batch
from huntgraph.errors import LinkError, UsageError
from huntgraph.schema import MOVE, RECEIPT, UPDATE, WELCOME, Kind

__all__ = ["Link", "Revision"]

REVISIONS: Final = 4096
"""Revisions kept: the newest ones."""


class Revision(NamedTuple):
    """A move that an actor lost in a crash and that came to something else when applied anew."""

    number: int
    """The move's number, from 1, in the order of sending over this link."""
    update: NDArray[np.void]
    """The answer that holds: dtype UPDATE, shape ()."""


class Link:
    """A link to one partition; made by `connect`. Use it from the event loop it was made in.

    Moves are arrays of dtype MOVE, shape (n,) (or their bytes, shape (n, 64)). Each player's moves
    carry ``seq``, dense from 1 for the player's whole life; `Seats` numbers them.
    """

    def __init__(self, native: Client, capacity: int, where: str) -> None:
        self._native = native
        self._capacity = capacity
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._answers = Answers()
        self._turn = asyncio.Lock()
        self._news: set[asyncio.Future[None]] = set()
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []
        self._receipts: list[NDArray[np.void]] = []
        self._revisions: deque[Revision] = deque(maxlen=REVISIONS)
        self._durable = 0
        self._welcome: NDArray[np.void] | None = None
        self._failure: LinkError | None = None
        self._drained = False
        self._closed = False
        self._loop.add_reader(native.fd, self._take)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "connected" if self.connected else "connecting"
        return f"<Link to {self._where}: {state}>"

    # What is known

    @property
    def welcome(self) -> NDArray[np.void]:
        """The actor's newest WELCOME: dtype WELCOME, shape ()."""
        if self._welcome is None:
            raise self._error()
        return self._welcome

    @property
    def connected(self) -> bool:
        """Whether a connection is open at this moment."""
        return not self._closed and self._native.standing()[0]

    @property
    def closed(self) -> bool:
        """Whether the link has ended, by `close`, `drain` or a failure."""
        return self._closed or self._failure is not None

    @property
    def durable_position(self) -> int:
        """All positions that this link was given, up to this one, are on disk."""
        return self._durable

    def statistics(self) -> dict[str, int]:
        """Give counts since the start: moves, sent, repeated, answered, swallowed and others."""
        counts = dict(self._native.statistics())
        return counts | {"unread": self._answers.unread, "unclaimed": self._answers.unclaimed}

    def receipts(self) -> NDArray[np.void]:
        """Take the receipts that have come since the last call: dtype RECEIPT, shape (n,).

        A receipt comes once, when its claim is durable, and is final. (That a claim has won is
        known before, from its update.)
        """
        taken, self._receipts = self._receipts, []
        return np.concatenate(taken) if taken else np.empty(0, dtype=RECEIPT)

    def revisions(self) -> list[Revision]:
        """Take the answers that have changed after they were given; empty but after crashes."""
        taken = list(self._revisions)
        self._revisions.clear()
        return taken

    # Sending

    async def send(self, moves: NDArray[Any]) -> NDArray[np.void]:
        """Send moves and wait for all their answers: dtype UPDATE, same length and order.

        Waits while the window is full. Any number of tasks may send at once; the moves of one call
        keep their order. When cancelled, what was taken in is applied all the same.

        Raises LinkError when the link has ended; the moves may have been applied or not. Raises
        UsageError before anything is sent for an array that holds no moves.
        """
        rows = _rows(moves)
        batch = Batch(len(rows))
        if len(rows):
            await self._pass(rows, batch)
            await batch.done
        return batch.updates()

    async def post(self, moves: NDArray[Any]) -> None:
        """Send moves without waiting for their answers, which come from `updates`.

        Waits while the window is full, or as many answers wait to be read as it has places.
        """
        await self._pass(_rows(moves), None)

    async def updates(self) -> AsyncIterator[NDArray[np.void]]:
        """Iterate over the answers to posted moves, batch by batch: dtype UPDATE, shape (n,).

        Ends when the link is drained or closed; raises LinkError when it fails.
        """
        while True:
            rows = self._answers.posted()
            if len(rows):
                self._tell_news()  # there is room to post
                yield rows.reshape(-1).view(UPDATE)
            elif self._failure is not None:
                raise self._error()
            elif self._drained or self._closed:
                return
            else:
                await self._wait_news()

    async def durable(self, position: int) -> int:
        """Wait until a position given in an update is on disk; gives the durable position."""
        if position > self._durable:
            self._check()
            waiter = self._loop.create_future()
            self._awaited.append((position, waiter))
            await waiter
        return self._durable

    # The end

    async def drain(self) -> int:
        """Take no more moves, wait until all are answered and durable, and close.

        Gives the durable position. What has come can still be taken with `receipts`, `updates`
        and `revisions`.
        """
        if not self._drained:
            self._check()
            self._native.drain()
            while not self._drained:
                self._check()
                await self._wait_news()
        self.close()
        return self._durable

    def close(self) -> None:
        """Close at once; what is not answered or durable yet may be lost."""
        if self._closed:
            return
        self._take()
        self._closed = True
        self._loop.remove_reader(self._native.fd)
        self._native.close()
        self._fail()

    # Within

    async def ready(self) -> None:
        """Wait for the first WELCOME; `connect` does so."""
        while self._welcome is None:
            self._check()
            await self._wait_news()

    def last_reason(self) -> str:
        """Say why the last connection or attempt ended; empty when none has."""
        return self._native.standing()[1]

    async def _pass(self, rows: U8, batch: Batch | None) -> None:
        async with self._turn:
            while len(rows):
                self._check()
                part = rows
                if batch is None:
                    part = rows[: max(0, self._capacity - self._answers.unread)]
                _, accepted = self._native.send(part)
                if accepted:
                    self._answers.expect(accepted, batch)
                    rows = rows[accepted:]
                if len(rows):
                    await self._wait_news()

    async def _wait_news(self) -> None:
        waiter = self._loop.create_future()
        self._news.add(waiter)
        try:
            await waiter
        finally:
            self._news.discard(waiter)

    def _tell_news(self) -> None:
        for waiter in self._news:
            if not waiter.done():
                waiter.set_result(None)

    def _take(self) -> None:
        """Take what the native side has; called by the event loop."""
        updates, receipts, durable, events = self._native.take()
        if len(receipts):
            self._receipts.append(receipts.reshape(-1).view(RECEIPT))
        for event in events:
            self._on_event(event)
        self._answers.take(updates)
        if durable > self._durable:
            self._durable = durable
            self._tell_durable()
        if self._failure is not None:
            self._fail()
        self._tell_news()

    def _on_event(self, event: tuple[Any, ...]) -> None:
        match event:
            case ("connected", _, bytes(welcome)):
                self._welcome = np.frombuffer(welcome, dtype=WELCOME)[0]
            case ("revised", int(number), bytes(update)):
                self._revisions.append(Revision(number, np.frombuffer(update, dtype=UPDATE)[0]))
            case ("failed", code, what, where, fix):
                self._failure = LinkError(what, where=where, fix=fix, code=code)
            case ("drained", _):
                self._drained = True

    def _tell_durable(self) -> None:
        waiting = []
        for position, waiter in self._awaited:
            if waiter.done():
                continue
            if position <= self._durable:
                waiter.set_result(None)
            else:
                waiting.append((position, waiter))
        self._awaited = waiting

    def _fail(self) -> None:
        """Nobody waits any longer."""
        self._answers.fail(self._error())
        for _, waiter in self._awaited:
            if not waiter.done():
                waiter.set_exception(self._error())
        self._awaited = []
        self._tell_news()

    def _check(self) -> None:
        if self._failure is not None or self._closed:
            raise self._error()

    def _error(self) -> LinkError:
        found = self._failure
        if found is None:
            return LinkError(
                "the link is closed", where=self._where, fix="connect anew", code="HG1306"
            )
        return LinkError(found.what, where=found.where, fix=found.fix, code=found.code)


def _rows(moves: NDArray[Any]) -> U8:
    """Give moves as rows of 64 bytes.

    Raises UsageError for what the actor would end the link for, and with it the moves of others.
    """
    if moves.dtype == np.uint8 and moves.ndim == 2 and moves.shape[1] == 64:
        return np.ascontiguousarray(moves)
    if moves.dtype.itemsize != MOVE.itemsize:
        what = f"moves of dtype {moves.dtype} and shape {moves.shape} are no records of 64 bytes"
        raise UsageError(what, fix="use dtype huntgraph.schema.MOVE")
    rows = np.ascontiguousarray(moves).reshape(-1).view(np.uint8).reshape(-1, 64)
    if not (allowed := _ALLOWED[rows[:, 0]]).all():
        at = int(np.argmin(allowed))
        what = f"record {at} is of kind {int(rows[at, 0])}, which a game server may not send"
        raise UsageError(what, fix="send moves of players and changes of edges")
    return rows


_ALLOWED: Final = np.zeros(256, np.bool_)
_ALLOWED[Kind.ENTER : Kind.HINT + 1] = True
_ALLOWED[Kind.EDGE_CLOSE : Kind.EDGE_ADD + 1] = True
