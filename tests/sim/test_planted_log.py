"""The reader and the oracle of the fault tests are checked: planted damage must not pass.

The log is a real one, written by a real actor and changed afterwards as a faulty actor or disk
would have written it.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.cluster.actor import Stopped
from huntgraph.schema import Code, Kind
from tests.fault.follower import DivergedError, Follower
from tests.fault.logfile import PAGE, Block, LogFile, crc32c
from tests.fault.scenery import goals, publish
from tests.servers import ground, linked, move, rows, serving, within

Records = NDArray[np.void]
PLAYERS = 40
MOVES = 20


@dataclass(frozen=True)
class Past:
    """A directory whose actor has stopped, its records and its last words."""

    directory: Path
    records: Records
    blocks: list[Block]
    stopped: Stopped


@pytest.fixture(scope="module")
def past() -> Iterator[Past]:
    """Some hundred moves of some players, with claims, and recorded hashes."""
    folder = Path(tempfile.mkdtemp(prefix="hg-"))
    told: list[Stopped] = []

    async def live() -> None:
        world = ground().world
        places = goals(world)
        async with serving(folder / "run") as actor:
            await publish(actor, world)
            async with linked(actor) as client:
                for seq in range(1, MOVES, 2):
                    for player in range(PLAYERS):
                        node = places[(player + seq) % len(places)]
                        enter = move(Kind.ENTER, player, seq, to=node, hunt=0, arg=player % 2)
                        claim = move(Kind.CLAIM, player, seq + 1, arg=2**32 - 1)
                        updates, _ = await client.moves(rows(enter, claim))
                        assert updates["code"][0] == Code.OK
            stopped = await actor.stop()
        assert stopped is not None
        told.append(stopped)

    within(live)
    blocks = reader(folder / "run").read()
    records = np.concatenate([block.records for block in blocks])
    yield Past(folder / "run", records, blocks, told[0])
    shutil.rmtree(folder, ignore_errors=True)


def reader(directory: Path) -> LogFile:
    return LogFile(directory / "log", ground().world.world_id)


def follow(past: Past, records: Records) -> None:
    """Feed records to the oracle as if they stood in the log. Raises DivergedError."""
    follower = Follower.of(ground(), past.directory)
    follower.told[past.stopped.position] = past.stopped.state_hash
    follower.apply(records)
    if past.stopped.position in follower.told:
        raise DivergedError("the log ends before the position that was told")


def test_the_true_log_passes(past: Past) -> None:
    follow(past, past.records)
    assert len(past.records) == past.stopped.position
    assert (past.records["kind"] == Kind.HASH).any()
    epochs = [block.epoch for block in past.blocks]
    assert epochs == sorted(epochs)


def of_kind(past: Past, kind: Kind) -> list[int]:
    return [int(at) for at in np.flatnonzero(past.records["kind"] == kind)]


@pytest.mark.parametrize("kind", [Kind.ENTER, Kind.CLAIM, Kind.TICK, Kind.HASH, Kind.HUNT_STAGE])
def test_a_dropped_record_is_found(past: Past, kind: Kind, rng: random.Random) -> None:
    with pytest.raises(DivergedError):
        follow(past, np.delete(past.records, rng.choice(of_kind(past, kind))))


def test_a_doubled_record_is_found(past: Past, rng: random.Random) -> None:
    at = rng.choice(of_kind(past, Kind.ENTER))
    with pytest.raises(DivergedError):
        follow(past, np.insert(past.records, at, past.records[at]))


def test_two_exchanged_moves_are_found(past: Past, rng: random.Random) -> None:
    at = rng.choice(of_kind(past, Kind.CLAIM))
    changed = past.records.copy()
    changed[[at - 1, at]] = changed[[at, at - 1]]
    with pytest.raises(DivergedError):
        follow(past, changed)


def test_claims_of_two_players_in_the_other_order_are_found(past: Past) -> None:
    """Nothing is missing and every player's moves are in order: only the state can tell."""
    changed = past.records.copy()
    claims = of_kind(past, Kind.CLAIM)
    first, second = claims[:2]
    changed[[first - 1, first, second - 1, second]] = changed[
        [second - 1, second, first - 1, first]
    ]
    with pytest.raises(DivergedError):
        follow(past, changed)


@pytest.mark.parametrize("field", ["to", "arg", "a"])
def test_one_changed_field_is_found(past: Past, field: str, rng: random.Random) -> None:
    kind = {"to": Kind.ENTER, "arg": Kind.TICK, "a": Kind.HASH}[field]
    changed = past.records.copy()
    places = of_kind(past, kind)
    if kind == Kind.ENTER:
        # An earlier one may be wiped out by the next before anybody hashes the state; the ledger
        # compares every byte.
        places = [at for at in places if changed["seq"][at] == MOVES - 1]
    changed[field][rng.choice(places)] += 1
    with pytest.raises(DivergedError):
        follow(past, changed)


def test_a_hash_told_wrong_is_found(past: Past) -> None:
    follower = Follower.of(ground(), past.directory)
    follower.told[past.stopped.position] = past.stopped.state_hash ^ 1
    with pytest.raises(DivergedError):
        follower.apply(past.records)


def test_a_flipped_bit_anywhere_in_a_block_ends_the_chain_there(
    past: Past, rng: random.Random, short_path: Path
) -> None:
    shutil.copytree(past.directory / "log", short_path / "log")
    full = [block for block in past.blocks if len(block.records)]
    for block in rng.sample(full, 30):
        path = short_path / "log" / f"segment-{block.segment:010d}.log"
        whole = path.read_bytes()
        at = block.page * PAGE + rng.randrange(64 + 64 * len(block.records))
        data = bytearray(whole)
        data[at] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        log = reader(short_path)
        log.read()
        assert log.last_position == block.first - 1
        path.write_bytes(whole)


def test_a_block_from_elsewhere_does_not_pass(past: Past, short_path: Path) -> None:
    """A whole block with a right checksum, of the same log, in another's place."""
    shutil.copytree(past.directory / "log", short_path / "log")
    first, second = [block for block in past.blocks if len(block.records)][3:5]
    path = short_path / "log" / f"segment-{first.segment:010d}.log"
    data = bytearray(path.read_bytes())
    size = min(first.pages, second.pages) * PAGE
    data[first.page * PAGE :][:size] = data[second.page * PAGE :][:size]
    moved = bytes(data[second.page * PAGE : second.page * PAGE + size])
    data[first.page * PAGE : first.page * PAGE + size] = moved
    path.write_bytes(data)
    log = reader(short_path)
    log.read()
    assert log.last_position == first.first - 1


def test_the_checksum_is_the_listed_one() -> None:
    # Check value of CRC-32C (RFC 3720, appendix B.4, lists the others).
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
