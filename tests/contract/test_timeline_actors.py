"""The timeline beside real actors: three partitions, players walking over their borders."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from huntgraph.client import Identity, connect_all
from huntgraph.cluster.control import refuse
from huntgraph.cluster.snapshots import make_snapshot
from huntgraph.engine import move
from huntgraph.schema import MOVE, Code, Kind
from huntgraph.timeline.adopt import adopt
from huntgraph.timeline.audit import Audit
from huntgraph.timeline.cut import is_consistent
from huntgraph.timeline.edits import Insert
from huntgraph.timeline.export import BLOCK, map_blocks
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.live import undo_commit
from huntgraph.timeline.log import Log
from huntgraph.timeline.lookup import Query, lookup
from huntgraph.timeline.plan import Plan
from huntgraph.timeline.points import find_point
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.snapshot import newest_snapshot
from huntgraph.timeline.timeline import Timeline
from huntgraph.timeline.verify_all import check_crossings, verify_all
from tests.coast import Coast
from tests.fault.wanderers import Wanderers
from tests.servers import PLAYERS, ground, until, within


def history_of(coast: Coast) -> History:
    """The history of all partitions, of running actors or stopped ones."""
    sources = {}
    for part in coast.parts:
        number = part.partition
        directory = coast.folder / str(number)
        log = Log(directory, world_id=part.world_id, partition=number)
        sources[number] = Source(number, part, log, directory)
    return History(sources, coast.folder)


async def wander(
    coast: Coast, rounds: int, meanwhile: Callable[[Wanderers], Awaitable[None]] | None = None
) -> Wanderers:
    """Players walk at random, find clues and cross borders; something may be done meanwhile."""
    wanderers = Wanderers(coast.parts, random.Random(5), 60)
    await coast.publish(wanderers.clues())
    leaf = ground().client
    identity = Identity(leaf.certificate, leaf.key, leaf.authority)
    async with connect_all(coast.links(), identity=identity) as links:
        over = asyncio.Event()
        walking = asyncio.create_task(wanderers.walk(links, over))
        while wanderers.rounds < rounds and not walking.done():
            await asyncio.sleep(0.01)
        if meanwhile is not None:
            await meanwhile(wanderers)
            while wanderers.rounds < 2 * rounds and not walking.done():
                await asyncio.sleep(0.01)
        over.set()
        await walking
        await links.durable()
    await coast.settle()
    return wanderers


def test_three_actors_forked_and_corrected(short_path: Path) -> None:
    coast = Coast(short_path, 3)

    async def test() -> list[int]:
        async with coast:
            await coast.start()
            wanderers = await wander(coast, 30)
            assert wanderers.crossings > 20
            history = history_of(coast)
            unedited(history)
            player = wanderers.players[0].player
            fork = Fork(history, Recipe("", find_point(history, "0:0,1:0,2:0")))
            fork.drop(player=player)
            diff = fork.diff()
            assert not diff.empty
            labels = {change.player: change.label for change in diff.players}
            assert labels[player] == "direct"
            entry = await adopt(fork, reason="walked through walls", who="a tester")
            assert (entry.who, entry.why, entry.policy) == (
                "a tester",
                "walked through walls",
                "recompute",
            )
            await across(history, entry.id, wanderers)
            await undone(history, entry.id)
            await snapshots(coast)
            return await coast.stop()

    hashes: list[int] = []

    async def run() -> None:
        hashes.extend(await test())

    within(run)
    judge_after(coast, hashes)


def test_an_edge_that_a_fork_adds_before_a_live_one_is_committed(short_path: Path) -> None:
    coast = Coast(short_path, 2)

    async def play() -> None:
        async with coast:
            await coast.start()
            early, late = free_pairs(coast)
            await add_edge(coast, late)
            history = history_of(coast)
            start = find_point(history, "0:0,1:0")
            added = move(Kind.EDGE_ADD, from_=early[0], to=early[1], arg=2)
            fork = Fork(history, Recipe("", start, (Insert((0, 1), added.tobytes()),)))
            entry = await adopt(fork, reason="a bridge", who="a tester")
            live = history.engine_at(0, history.head()[0])
            ends = list(zip(*(column.tolist() for column in live.edges()), strict=True))
            assert ends[-4:] == [late, late[::-1], early, early[::-1]]
            assert live.weights()[-4:].tolist() == [3, 0, 2, 0]
            run = Fork(history, Recipe("", start)).replay()
            assert run.hashes() == run.head_hashes()
            await undo_commit(history, entry.id, reason="no bridge", who="a tester")
            live = history.engine_at(0, history.head()[0])
            assert live.weights()[-4:].tolist() == [3, 0, 0, 0]
            struck = await coast.actors[0].control(move(Kind.STRIKE, player=9, seq=1))
            assert struck.updates["code"][0] == Code.STRUCK
            await coast.stop()

    within(play)
    history = history_of(coast)
    found = verify_all(history)
    assert found.sound
    assert [part.moves for part in found.partitions.values()] == [1, 0]
    (row,) = lookup(history, Query(players=(9,)))
    assert (row["kind"], row["code"], row["seq"]) == (Kind.STRIKE, Code.STRUCK, 1)


def test_commits_made_while_players_walk_are_made_again_exactly(short_path: Path) -> None:
    coast = Coast(short_path, 3)

    async def commit(wanderers: Wanderers) -> None:
        history = history_of(coast)
        start = find_point(history, "0:0,1:0,2:0")
        for number in (0, 1):
            fork = Fork(history, Recipe("", start)).drop(player=wanderers.players[number].player)
            await adopt(fork, reason="walked through walls", who="a tester")

    async def play() -> None:
        async with coast:
            await coast.start()
            await wander(coast, 40, commit)
            history = history_of(coast)
            for point in ("0:0,1:0,2:0", "head~1s"):
                run = Fork(history, Recipe("", find_point(history, point))).replay()
                assert run.hashes() == run.head_hashes(), point
            await coast.stop()

    within(play)
    history = history_of(coast)
    run = Fork(history, Recipe("", find_point(history, "0:0,1:0,2:0"))).replay()
    assert len(run.reach.crossed) == 2
    assert run.hashes() == run.head_hashes()
    assert verify_all(history).sound


def free_pairs(coast: Coast) -> tuple[tuple[int, int], tuple[int, int]]:
    """Twice two nodes of partition 0 without slots between them."""
    part = coast.parts[0]
    first, last = part.own_nodes // 2, part.own_nodes - 2
    heads = [set(part.head[part.first[n] : part.first[n + 1]].tolist()) for n in (0, first)]
    far = [next(n for n in range(last, 0, -1) if n not in near) for near in heads]
    return (0, far[0]), (first, far[1])


async def add_edge(coast: Coast, ends: tuple[int, int]) -> None:
    """Add an edge to the running partition 0."""
    actor = coast.actors[0]
    made = refuse(await actor.control(move(Kind.EDGE_ADD, from_=ends[0], to=ends[1], arg=3)))
    counters, position = actor.counters(), int(made.updates["position"][0])
    await until(lambda: counters.value("durable") >= position)


def unedited(history: History) -> None:
    """A fork without edits ends as the live hunt, from a point in the middle of its course."""
    head = history.head()
    point = history.messages().shrink({n: position // 2 for n, position in head.items()})
    assert is_consistent(point, history.messages())
    run = Fork(history, Recipe("", point)).replay(to=head)
    assert run.hashes() == run.head_hashes()
    assert sum(len(script) for script in run.scripts.values()) > 200


async def across(history: History, first: str, wanderers: Wanderers) -> None:
    """A second player is taken out from before the commit that took out the first."""
    start = find_point(history, "0:0,1:0,2:0")
    run = Fork(history, Recipe("", start)).replay()
    assert run.hashes() == run.head_hashes()
    player = wanderers.players[1].player
    fork = Fork(history, Recipe("", start)).drop(player=player)
    assert {change.player for change in fork.diff().players} >= {player}
    entry = await adopt(fork, reason="it too", who="a tester")
    assert [commit.id for commit in fork.run.reach.crossed] == [first]
    run = Fork(history, Recipe("", start)).replay()
    assert run.hashes() == run.head_hashes()
    assert [commit.id for commit in run.reach.crossed] == [first, entry.id]
    # Out of order: the first one is left out, the second one holds.
    fork = Fork(history, Recipe("", find_point(history, "head"), without=(first,)))
    assert {change.player for change in fork.diff().players} >= {wanderers.players[0].player}


async def undone(history: History, name: str) -> None:
    """An undo gives back every cell that the commit changed, as far as nothing came between."""
    plan = Plan.read(history.folder, int(name, 16))
    entry, kept = await undo_commit(history, name, reason="it was lag", who="a tester")
    assert (entry.kind, entry.of) == ("undo", name)
    head, ends = {(each.partition, each.name) for each in kept}, history.head()
    for number, part in plan.parts.items():
        changes = part.changes
        words, _ = history.engine_at(number, ends[number]).words(changes.names)
        theirs = [(number, each) in head for each in changes.names.tolist()]
        back = (words == changes.old) | theirs | ~changes.had
        assert back.all()


async def snapshots(coast: Coast) -> None:
    for option in coast.options:
        where = {"partition": option.partition, "players": PLAYERS}
        await make_snapshot(option.directory, option.world, **where)  # type: ignore[arg-type]


def judge_after(coast: Coast, hashes: list[int]) -> None:
    """What was committed is the history now: replays meet it, from the start and from snapshots."""
    history = history_of(coast)
    head = history.head()
    assert [history.engine_at(n, head[n]).state_hash() for n in head] == hashes
    for from_snapshot in (False, True):
        found = verify_all(history, from_snapshot=from_snapshot)
        assert found.sound, found.to_dict()
        assert found.first_bad() is None
    assert [entry.kind for entry in Audit(coast.folder).entries()] == ["commit", "commit", "undo"]
    assert check_crossings(history) == []
    run = Timeline(history).fork(at="0:0,1:0,2:0").replay()
    assert run.hashes() == run.head_hashes()
    assert [each.undone for each in run.reach.crossed] == [False, False, True]
    for number, source in history.sources.items():
        assert source.directory is not None
        snapshot = newest_snapshot(source.directory, 1 << 62)
        assert snapshot is not None
        engine = history.engine_at(number, snapshot.position)
        assert snapshot.state_hash == engine.state_hash()
        assert not snapshot.image.flags.writeable
        judge_blocks(source)


def judge_blocks(source: Source) -> None:
    """Mapped blocks hold what a checked reading gives, in the files' own memory."""
    assert source.directory is not None
    read = np.concatenate([records.rows for records in source.records(1)])
    blocks = list(map_blocks(source.directory))
    assert (np.concatenate([moves for _, moves in blocks]) == read.view(MOVE).reshape(-1)).all()
    for header, moves in blocks:
        assert header.dtype == BLOCK
        assert not moves.flags.owndata
        assert not moves.flags.writeable
    assert {int(kind) for kind in read[:, 0]} >= {Kind.ARRIVE, Kind.HANDED_ON, Kind.TICK}
