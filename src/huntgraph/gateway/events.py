"""The WebSocket of events and deltas at ``/events``.

Each client has its own place in the ring, and the ring is the only buffer: a client that reads
slowly is not sent to while its socket is full, and when it reads on it is told which sequences it
has lost and goes on near the newest. Nothing grows, and no other client notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from starlette.websockets import WebSocket, WebSocketDisconnect

from huntgraph.bus import Batch, Gap, Ring
from huntgraph.errors import ActorError, UsageError, did_you_mean
from huntgraph.gateway.view import PartitionView
from huntgraph.schema import EVENT, Event

__all__ = ["Stream", "events_as_json", "events_socket"]

SCHEMA: Final = "huntgraph.events/1"
POLL_S: Final = 0.02
BATCH_EVENTS: Final = 4096
KEPT_EVENTS: Final = 1024
"""A client too far behind goes on with so many of the newest events."""
CLIENTS: Final = 64
AWAY_S: Final = 0.5
CLOSE_USAGE, CLOSE_FULL, CLOSE_ORIGIN = 4400, 1013, 4403


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked for in the query of the address."""

    as_json: bool
    kinds: NDArray[np.uint8] | None
    start: int | None

    @classmethod
    def from_query(cls, query: dict[str, str]) -> Wish:
        """Read ``format`` (binary, json), ``kinds`` (names, commas) and ``from`` (a sequence)."""
        formats = ("binary", "json")
        chosen = query.get("format", "binary")
        if chosen not in formats:
            raise UsageError(f'no format "{chosen}"', fix=did_you_mean(chosen, formats))
        kinds = None
        if "kinds" in query:
            names = [name.strip().upper() for name in query["kinds"].split(",") if name.strip()]
            for name in names:
                if name not in Event.__members__:
                    fix = did_you_mean(name, Event.__members__)
                    raise UsageError(f'no kind of event "{name}"', fix=fix)
            kinds = np.array([Event[name] for name in names], dtype=np.uint8)
        start = query.get("from")
        if start is not None and not (start.isascii() and start.isdigit() and len(start) < 20):
            raise UsageError(f'"{start}" is no sequence', fix="give a number from 0")
        return cls(chosen == "json", kinds, None if start is None else int(start))


def events_as_json(events: NDArray[np.void]) -> list[dict[str, Any]]:
    """Give events (dtype EVENT) as plain objects; kinds by name, sequences in place of stamps."""
    names = [name for name in EVENT.names or () if name not in ("stamp", "b")]
    columns = {name: events[name].tolist() for name in names}
    columns["kind"] = [_kind_name(kind) for kind in columns["kind"]]
    sequences = (events["stamp"] - np.uint64(1)).tolist()
    rows = zip(*columns.values(), strict=True)
    return [
        {"sequence": sequence} | dict(zip(columns, row, strict=True))
        for sequence, row in zip(sequences, rows, strict=True)
    ]


def _kind_name(kind: int) -> str:
    try:
        return Event(kind).name.lower()
    except ValueError:
        return str(kind)


class Stream:
    """One client's way through the ring."""

    def __init__(self, socket: WebSocket, view: PartitionView, wish: Wish) -> None:
        self._socket = socket
        self._view = view
        self._wish = wish
        self._ring: Ring | None = None

    async def run(self) -> None:
        """Send until the client leaves."""
        while True:
            ring = await self._open()
            while not ring.replaced:
                # One system call for every so many batches tells of a replaced ring.
                for _ in range(50):
                    await self._step(ring)
            await self._notice({"event": "restart"})
            self._ring = None

    async def _open(self) -> Ring:
        while self._ring is None:
            try:
                self._ring = self._view.ring()
            except ActorError:
                await asyncio.sleep(AWAY_S)
        if self._wish.start is not None:
            self._ring.seek(min(self._wish.start, self._ring.head))
            self._wish = Wish(self._wish.as_json, self._wish.kinds, None)
        hello = {"event": "hello", "schema": SCHEMA, "partition": self._view.partition}
        await self._notice(hello | {"next": self._ring.next, "slots": self._ring.slots})
        return self._ring

    async def _step(self, ring: Ring) -> None:
        gap = ring.skip_to_latest(KEPT_EVENTS) if ring.lag > ring.slots // 2 else None
        batch = ring.read(BATCH_EVENTS)
        gap = _joined(gap, batch.gap)
        if gap is not None:
            lost = {"event": "gap", "first": gap.first, "last": gap.last, "count": gap.count}
            self._view.note_gap(gap)
            await self._notice(lost)
        if len(batch.events):
            await self._send(batch)
        if ring.lag == 0:
            await asyncio.sleep(POLL_S)

    async def _send(self, batch: Batch) -> None:
        events = batch.events
        if self._wish.kinds is not None:
            events = events[np.isin(events["kind"], self._wish.kinds)]
        if not len(events):
            return
        if self._wish.as_json:
            message = {"event": "events", "events": events_as_json(events)}
            await self._socket.send_text(json.dumps(message, separators=(",", ":")))
        else:
            await self._socket.send_bytes(events.tobytes())

    async def _notice(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message, separators=(",", ":")))


def _joined(first: Gap | None, second: Gap | None) -> Gap | None:
    if first is None or second is None:
        return first or second
    return Gap(first.first, second.last)


async def events_socket(socket: WebSocket) -> None:
    """Serve one client of ``/events``; the app's state holds the views and the count of clients."""
    state = socket.app.state
    await socket.accept()
    if not _own_origin(socket):
        await socket.close(CLOSE_ORIGIN, "pages of other origins may not read events")
        return
    if state.streams >= CLIENTS:
        await socket.close(CLOSE_FULL, f"{CLIENTS} clients are connected: try again later")
        return
    try:
        view = _view_of(state.views, socket.query_params.get("partition"))
        wish = Wish.from_query(dict(socket.query_params))
    except UsageError as error:
        await socket.close(CLOSE_USAGE, f"{error.what} ({error.fix})"[:120])
        return
    state.streams += 1
    try:
        await _until_either(Stream(socket, view, wish).run(), _until_left(socket))
    finally:
        state.streams -= 1


def _view_of(views: list[PartitionView], wanted: str | None) -> PartitionView:
    if wanted is None:
        return views[0]
    for view in views:
        if str(view.partition) == wanted:
            return view
    raise UsageError(
        f'no partition "{wanted}" here',
        fix=f"known are: {', '.join(str(view.partition) for view in views)}",
    )


def _own_origin(socket: WebSocket) -> bool:
    """Whether no browser sends this, or one that shows a page of this very machine or host."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    host = urlsplit(origin).hostname
    own = urlsplit(f"//{socket.headers.get('host', '')}").hostname
    return host in ("localhost", "127.0.0.1", "::1", own)


async def _until_left(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_either(first: Any, second: Any) -> None:
    tasks = [asyncio.create_task(first), asyncio.create_task(second)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            # The client may leave in the middle of a send.
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await task
