"""The gateway over real HTTP and WebSockets, beside real rings and counters."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from websockets.typing import Origin

from huntgraph.errors import ActorError, UsageError
from huntgraph.gateway import Gateway, PartitionView
from huntgraph.schema import EVENT, Event
from huntgraph.versions import versions
from tests.unit.bus.test_counters import write_counters
from tests.unit.bus.test_ring import Writer

NUMBERS = {
    "heartbeat_ms": 1,
    "tick": 9,
    "position": 40,
    "durable": 39,
    "moves": 31,
    "state_hash": 2**64 - 1,
    "log_room": 16_000,
    "log_failed": 0,
    "draining": 0,
    "answers_ok": 30,
    "answers_busy": 1,
}


class Partition:
    """A partition's files, written as an actor writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.beat = 1
        self.write()
        self.ring = Writer(folder / "ring", slots=256)

    def write(self, **changes: int) -> None:
        self.beat += 1
        numbers = {**NUMBERS, "heartbeat_ms": self.beat, **changes}
        write_counters(self.folder / "counters", numbers, {"frame_ns": [900, 5000, 70_000]})


@pytest.fixture
def partition(tmp_path: Path) -> Partition:
    return Partition(tmp_path)


def serve(view: PartitionView, work: Callable[[str], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with Gateway([view], **options) as gateway:
            await work(gateway.url)

    asyncio.run(run())


async def get(url: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url)
    text = answer.headers["content-type"].startswith("text/plain")
    return answer.status_code, answer.text if text else answer.json()


def test_probes_of_a_healthy_partition(partition: Partition) -> None:
    async def work(url: str) -> None:
        for path in ("/livez", "/healthz"):
            assert await get(url + path) == (200, {"alive": True, "reasons": []})
        status, body = await get(url + "/readyz")
        assert (status, body["ready"]) == (200, True)
        assert body["partitions"][0]["position"] == 40
        assert await get(url + "/version") == (200, versions())
        assert (await get(url + "/"))[1]["paths"]
        assert (await get(url + "/nothing-here"))[0] == 404

    serve(PartitionView(partition.folder), work)


@pytest.mark.parametrize(
    ("changes", "alive", "word"),
    [
        ({"draining": 1}, 200, "draining"),
        ({"log_room": 3}, 200, "no room"),
        ({"log_failed": 1}, 503, "log_failed"),
    ],
)
def test_busy_fails_readiness_and_only_a_fault_fails_liveness(
    partition: Partition, changes: dict[str, int], alive: int, word: str
) -> None:
    view = PartitionView(partition.folder)
    partition.write(**changes)

    async def work(url: str) -> None:
        assert (await get(url + "/livez"))[0] == alive
        status, body = await get(url + "/readyz")
        assert status == 503
        assert word in " ".join(body["partitions"][0]["reasons"])

    serve(view, work)


def test_refusals_fail_readiness_until_they_stop(partition: Partition) -> None:
    view = PartitionView(partition.folder)
    view.look()
    partition.write(answers_busy=5)
    view.look()
    assert view.unready() == ["moves are being refused"]
    assert view.broken() == []
    partition.write(answers_busy=5)
    view.look()
    assert view.unready() == []


def test_liveness_fails_only_after_many_looks_without_a_heartbeat(partition: Partition) -> None:
    view = PartitionView(partition.folder)
    for look in range(1 + view.pulse.hang_looks):
        assert view.broken() == [], look
        view.look()
    assert "no heartbeat" in view.broken()[0]
    partition.write()
    view.look()
    assert view.broken() == []


def test_no_actor_yet_is_alive_and_not_ready(tmp_path: Path) -> None:
    async def work(url: str) -> None:
        assert (await get(url + "/livez"))[0] == 200
        assert (await get(url + "/readyz"))[0] == 503
        assert 'huntgraph_up{partition="0"} 0' in (await get(url + "/metrics"))[1]

    serve(PartitionView(tmp_path), work)


def socket_url(url: str, query: str = "") -> str:
    return url.replace("http", "ws") + "/events" + query


def test_events_arrive_as_records(partition: Partition) -> None:
    async def work(url: str) -> None:
        async with websockets.connect(socket_url(url)) as link:
            hello = json.loads(await link.recv())
            assert (hello["event"], hello["next"], hello["slots"]) == ("hello", 0, 256)
            partition.ring.publish(10)
            data = await link.recv()
            assert isinstance(data, bytes)
            events = np.frombuffer(data, dtype=EVENT)
            assert events["stamp"][0] == 1
            partition.ring.publish(3)
            seen = len(events)
            while seen < 13:
                more = await link.recv()
                assert isinstance(more, bytes)
                seen += len(more) // 64
            assert seen == 13

    serve(PartitionView(partition.folder), work)


def test_json_kinds_and_from(partition: Partition) -> None:
    ring = partition.ring
    ring.publish(6)
    for sequence, kind in enumerate([Event.WENT, Event.CLAIMED, Event.DELTA] * 2):
        slot = ring.slot(sequence)
        slot[3] = int(kind)  # flags, hunt and tick are zero

    async def work(url: str) -> None:
        query = "?format=json&kinds=claimed,delta&from=1"
        async with websockets.connect(socket_url(url, query)) as link:
            assert json.loads(await link.recv())["next"] == 1
            body = json.loads(await link.recv())
            assert [event["kind"] for event in body["events"]] == [
                "claimed",
                "delta",
                "claimed",
                "delta",
            ]
            assert [event["sequence"] for event in body["events"]] == [1, 2, 4, 5]

    serve(PartitionView(partition.folder), work)


def test_a_reader_that_was_lapped_gets_a_gap(partition: Partition) -> None:
    partition.ring.publish(1000)
    view = PartitionView(partition.folder)

    async def work(url: str) -> None:
        async with websockets.connect(socket_url(url, "?from=0")) as link:
            await link.recv()
            gap = json.loads(await link.recv())
            assert (gap["event"], gap["first"]) == ("gap", 0)
            assert (view.gaps_told, view.events_lost) == (1, gap["count"])
            events = np.frombuffer(await link.recv(), dtype=EVENT)  # type: ignore[arg-type]
            assert int(events["stamp"][0]) == gap["last"] + 2
            assert int(events["stamp"][-1]) == 1000

    serve(view, work)


async def caught_up(link: websockets.ClientConnection, head: int) -> tuple[int, int]:
    """Read up to a sequence, without a hole that no gap tells of; gives gaps and the last."""
    gaps, last = 0, 0
    while last < head:
        message = await asyncio.wait_for(link.recv(), 60)
        if isinstance(message, str):
            gap = json.loads(message)
            assert gap["first"] == last
            last = gap["last"] + 1
            gaps += 1
        else:
            events = np.frombuffer(message, dtype=EVENT)
            assert int(events["stamp"][0]) == last + 1
            last = int(events["stamp"][-1])
    return gaps, last


def test_a_client_that_does_not_read_hurts_nobody_and_learns_its_gap(
    partition: Partition,
) -> None:
    (partition.folder / "ring").unlink()
    ring = Writer(partition.folder / "ring", slots=8192)

    async def work(url: str) -> None:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        host, port = url.removeprefix("http://").split(":")
        narrow.connect((host, int(port)))
        narrow.setblocking(False)
        calm: dict[str, Any] = {"max_queue": 1, "ping_interval": None, "sock": narrow}
        async with (
            websockets.connect(socket_url(url), **calm) as slow,
            websockets.connect(socket_url(url)) as quick,
        ):
            await slow.recv()
            await quick.recv()
            published = 0
            # Far more than the socket buffers between the two hold.
            while published < 400_000:
                ring.publish_many(2000)
                published += 2000
                seen = 0
                while seen < 2000:
                    message = await asyncio.wait_for(quick.recv(), 60)
                    assert isinstance(message, bytes), message
                    seen += len(message) // 64
            gaps, last = await caught_up(slow, published)
            assert gaps >= 1
            assert last == published

    serve(PartitionView(partition.folder), work)


def test_a_new_ring_is_followed(partition: Partition) -> None:
    async def work(url: str) -> None:
        async with websockets.connect(socket_url(url)) as link:
            await link.recv()
            (partition.folder / "ring").unlink()
            ring = Writer(partition.folder / "ring", slots=64)
            messages = [json.loads(await asyncio.wait_for(link.recv(), 60)) for _ in range(2)]
            assert [message["event"] for message in messages] == ["restart", "hello"]
            ring.publish(1)
            assert len(await asyncio.wait_for(link.recv(), 60)) == 64

    serve(PartitionView(partition.folder), work)


@pytest.mark.parametrize(
    "query", ["?format=xml", "?kinds=clamed", "?from=-1", "?from=abc", "?partition=7"]
)
def test_wrong_wishes_close_with_advice(partition: Partition, query: str) -> None:
    async def work(url: str) -> None:
        async with websockets.connect(socket_url(url, query)) as link:
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            assert link.close_code == 4400
            assert link.close_reason

    serve(PartitionView(partition.folder), work)


def test_pages_of_other_origins_may_not_read_events(partition: Partition) -> None:
    async def work(url: str) -> None:
        foreign, own = Origin("https://example.org"), Origin("http://localhost:1")
        async with websockets.connect(socket_url(url), origin=foreign) as link:
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            assert link.close_code == 4403
        async with websockets.connect(socket_url(url), origin=own) as link:
            assert json.loads(await link.recv())["event"] == "hello"

    serve(PartitionView(partition.folder), work)


def test_there_is_a_most_of_clients(partition: Partition) -> None:
    async def work(url: str) -> None:
        sockets = [await websockets.connect(socket_url(url)) for _ in range(64)]
        for link in sockets:
            await link.recv()
        async with websockets.connect(socket_url(url)) as link:
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            assert link.close_code == 1013
        for link in sockets:
            await link.close()
        async with websockets.connect(socket_url(url)) as link:
            assert json.loads(await link.recv())["event"] == "hello"

    serve(PartitionView(partition.folder), work)


def test_it_listens_on_loopback_and_stops_with_clients_connected(partition: Partition) -> None:
    async def run() -> None:
        gateway = Gateway([PartitionView(partition.folder)])
        url = await gateway.start()
        assert url.startswith("http://127.0.0.1:")
        async with websockets.connect(socket_url(url)) as link:
            await link.recv()
            async with asyncio.timeout(10):
                await gateway.stop()
                with pytest.raises(websockets.ConnectionClosed):
                    await link.recv()
        with pytest.raises(httpx.ConnectError):
            await get(url + "/livez")

    asyncio.run(run())


def test_a_taken_port_is_said_so(partition: Partition) -> None:
    async def work(url: str) -> None:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(ActorError) as caught:
            await Gateway([PartitionView(partition.folder)], port=port).start()
        assert caught.value.code == "HG1480"

    serve(PartitionView(partition.folder), work)


def test_an_address_is_taken_before_the_start_and_given_back(partition: Partition) -> None:
    async def run() -> None:
        gateway = Gateway([PartitionView(partition.folder)])
        address = gateway.bind().getsockname()
        assert gateway.bind().getsockname() == address
        assert (await gateway.start()).endswith(f":{address[1]}")
        await gateway.stop()
        second = Gateway([PartitionView(partition.folder)], port=address[1])
        second.bind()
        await second.stop()
        with socket.create_server(address):
            pass

    asyncio.run(run())


def test_a_port_that_is_none_is_not_taken_for_another(partition: Partition) -> None:
    gateway = Gateway([PartitionView(partition.folder)], port=99_999)
    with pytest.raises(UsageError, match="99999"):
        asyncio.run(gateway.start())
