"""A world file is written whole or not at all, and no change to its bytes goes unseen (P5)."""

from __future__ import annotations

import os
import random
import struct
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from huntgraph._core import crc32c
from huntgraph.errors import (
    WorldChecksumError,
    WorldError,
    WorldFileError,
    WorldTruncatedError,
)
from huntgraph.world import World
from huntgraph.world.arrays import WorldArrays, checksum, name_contents
from huntgraph.world.format import Header, decode


def small() -> World:
    return World.from_edges(
        [0, 1, 1, 2, 3],
        [1, 0, 2, 3, 0],
        [5, 60_000, 7, 1, 9],
        positions=[[0, 0, 4], [1, 0, -4], [0, 1, 0], [1, 1, 2]],
        names=np.array([11, 22, 33, 2**64 - 1], dtype=np.uint64),
        grid=(2, 2),
        meta={"title": "klein, gro\u00df", "seed": 3},
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "small.world"
    small().save(path)
    return path


def header_of(path: Path) -> Header:
    return decode(path.read_bytes()[:4096], path.stat().st_size, path)


@pytest.mark.parametrize("verify", ["header", "contents", "structure"])
def test_round_trip(saved: Path, verify: str) -> None:
    world = World.open(saved, verify=verify)  # type: ignore[arg-type]
    for field in fields(WorldArrays):
        before, after = getattr(small(), field.name), getattr(world, field.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            assert not after.flags.writeable
            assert np.array_equal(before, after), field.name
        else:
            assert before == after, field.name
    world.check()


def test_a_world_without_names_or_edges(tmp_path: Path) -> None:
    path = tmp_path / "lonely.world"
    World.from_edges([], [], [], nodes=1).save(path)
    world = World.open(path, verify="structure")
    assert (world.nodes, world.edges, world.name, world.is_grid) == (1, 0, None, False)
    assert world.info()["cost_max"] == 0
    assert world.edge(0, 0) is None
    assert world.find_edges([0], [0]).tolist() == [-1]


def test_saving_again_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    World.open(saved).save(tmp_path / "again.world")
    assert (tmp_path / "again.world").read_bytes() == saved.read_bytes()


def test_layout_is_the_documented_one(saved: Path) -> None:
    data = saved.read_bytes()
    assert data[:8] == b"HGWORLD\0"
    version, flags, nodes, edges, world_id = struct.unpack_from("<IIQQQ", data, 8)
    assert (version, flags, nodes, edges) == (1, 1, 4, 8)
    assert struct.unpack_from("<IIHHI", data, 40) == (2, 2, 1, 60_000, 8)
    assert struct.unpack_from("<I", data, 56)[0] == crc32c(data[:56] + bytes(4) + data[60:4096])
    tag, offset, size, crc, item = struct.unpack_from("<8sQQII", data, 64 + 32)
    assert (tag, offset, size, item) == (b"head\0\0\0\0", 8192, 8 * 4, 4)
    assert crc == crc32c(data[8192 : 8192 + 32])
    parts = [struct.unpack_from("<8sQQII", data, 64 + 32 * at) for at in range(8)]
    assert name_contents(4, 8, (parts[0][3], parts[1][3], parts[2][3])) == world_id
    tags = [part[0].rstrip(b"\0").decode() for part in parts]
    assert tags == ["first", "head", "cost", "x", "y", "z", "name", "meta"]
    assert all(part[1] % 4096 == 0 for part in parts)
    assert parts[-1][1] + parts[-1][2] == len(data)


def test_every_changed_byte_of_the_header_is_seen(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    for at in range(4096):
        bit = 1 << (at % 8)
        data[at] ^= bit
        kind = WorldFileError if at < 8 else WorldChecksumError
        with pytest.raises(kind, match=str(saved)):
            decode(bytes(data[:4096]), len(data), saved)
        if at % 32 == 9:
            saved.write_bytes(data)
            with pytest.raises(kind, match=str(saved)):
                World.open(saved, verify="header")
        data[at] ^= bit
    saved.write_bytes(data)
    World.open(saved)


def test_changed_bytes_of_sections_and_gaps_are_seen(saved: Path, rng: random.Random) -> None:
    data = bytearray(saved.read_bytes())
    inside = [at for part in header_of(saved).sections for at in range(part.offset, part.end)]
    gaps = rng.sample(sorted(set(range(4096, len(data))) - set(inside)), 200)
    for at in inside + gaps:
        bit = 1 << rng.randrange(8)
        data[at] ^= bit
        saved.write_bytes(data)
        with pytest.raises(WorldChecksumError, match="was changed"):
            World.open(saved)
        data[at] ^= bit


def test_every_missing_tail_is_seen(saved: Path, rng: random.Random) -> None:
    data = saved.read_bytes()
    ends = [part.end for part in header_of(saved).sections]
    cuts = {
        0,
        1,
        7,
        8,
        64,
        4095,
        4096,
        len(data) - 1,
        *ends[:-1],
        *rng.sample(range(len(data)), 99),
    }
    for cut in sorted(cuts):
        saved.write_bytes(data[:cut])
        with pytest.raises(WorldTruncatedError) as caught:
            World.open(saved, verify="header")
        assert caught.value.fix
    saved.write_bytes(data + b"\0")
    with pytest.raises(WorldTruncatedError, match="header promises"):
        World.open(saved)


def test_what_is_no_world_file(tmp_path: Path) -> None:
    path = tmp_path / "note.world"
    path.write_text("dear diary")
    with pytest.raises(WorldFileError, match="not a world file"):
        World.open(path)
    with pytest.raises(WorldFileError, match="cannot be read"):
        World.open(tmp_path / "absent.world")
    with pytest.raises(WorldFileError, match="cannot be read"):
        World.open(tmp_path)


def forged(path: Path, **changes: tuple[int, bytes]) -> None:
    """Change header bytes and make the header's CRC right again."""
    data = bytearray(path.read_bytes())
    for offset, new in changes.values():
        data[offset : offset + len(new)] = new
    data[56:60] = bytes(4)
    struct.pack_into("<I", data, 56, crc32c(bytes(data[:4096])))
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("offset", "new", "said"),
    [
        (8, struct.pack("<I", 2), "version 2"),
        (12, struct.pack("<I", 3), "missing: owner, twin, global"),
        (12, struct.pack("<I", 4), "not allow"),
        (12, struct.pack("<I", 0), "not allow"),
        (16, struct.pack("<Q", 0), "limits"),
        (16, struct.pack("<Q", 2**24 + 1), "limits"),
        (16, struct.pack("<Q", 5), "wrong place or size"),
        (24, struct.pack("<Q", 2**40), "limits"),
        (32, struct.pack("<Q", 7), "world id"),
        (52, struct.pack("<I", 7), "sections missing: meta"),
        (52, struct.pack("<I", 2**31), "not allow"),
        (64, b"head\0\0\0\0", "missing: first"),
        (64, b"\xff", "no readable tag"),
        (64 + 8, struct.pack("<Q", 4097), "wrong place or size"),
        (64 + 8, struct.pack("<Q", 0), "wrong place or size"),
        (64 + 16, struct.pack("<Q", 2**60), "wrong place or size"),
        (64 + 28, struct.pack("<I", 2), "wrong place or size"),
    ],
)
def test_a_header_that_breaks_rules_is_refused(
    saved: Path, offset: int, new: bytes, said: str
) -> None:
    forged(saved, change=(offset, new))
    with pytest.raises(WorldFileError, match=said):
        World.open(saved)


def broken(world: World, **arrays: object) -> World:
    changed = replace(world, **arrays)  # type: ignore[arg-type]
    crcs = (checksum(changed.first), checksum(changed.head), checksum(changed.cost))
    return replace(changed, world_id=name_contents(changed.nodes, changed.edges, crcs))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"first": np.array([0, 2, 1, 6, 8], "<u4")}, "rows do not follow"),
        ({"first": np.array([1, 2, 4, 6, 8], "<u4")}, "rows do not follow"),
        ({"head": np.array([1, 3, 0, 2, 1, 9, 0, 2], "<u4")}, "not there"),
        ({"head": np.array([3, 1, 0, 2, 1, 3, 0, 2], "<u4")}, "not ascending"),
        ({"head": np.array([1, 1, 0, 2, 1, 3, 0, 2], "<u4")}, "not ascending"),
        ({"head": np.array([0, 3, 0, 2, 1, 3, 0, 2], "<u4")}, "edge to itself"),
        ({"head": np.array([1, 2, 0, 2, 1, 3, 0, 2], "<u4")}, "way back"),
        ({"cost": np.full(8, 60_001, "<u2")}, "more than 60,000"),
        ({"name": np.array([1, 1, 2, 3], "<u8")}, "name stands twice"),
        ({"x": np.array([0, 2, 0, 1], "<i4")}, "outside the grid"),
        ({"x": np.array([0, 0, 0, 1], "<i4")}, "share a cell"),
    ],
)
def test_structure_is_checked_on_request(
    tmp_path: Path, arrays: dict[str, object], said: str
) -> None:
    path = tmp_path / "broken.world"
    broken(small(), **arrays).save(path)
    World.open(path)
    with pytest.raises(WorldFileError, match=said):
        World.open(path, verify="structure")


def test_meta_must_be_an_object(saved: Path) -> None:
    part = header_of(saved).section("meta")
    assert part is not None
    data = bytearray(saved.read_bytes())
    text = b"[" + b" " * (part.size - 2) + b"]"
    data[part.offset : part.end] = text
    struct.pack_into("<I", data, 64 + 7 * 32 + 24, crc32c(text))
    saved.write_bytes(data)
    forged(saved)
    with pytest.raises(WorldFileError, match="not a JSON object"):
        World.open(saved)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WorldError, match="No space left on device") as caught:
        World.from_edges([0], [1], [5]).save(saved)
    assert caught.value.where == str(saved)
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
    assert saved.read_bytes() == before


def test_a_full_device_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="could not be written"):
        small().save(tmp_path / "absent" / "small.world")
    (tmp_path / "taken").mkdir()
    with pytest.raises(WorldError, match="could not be written"):
        small().save(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_open_world_outlives_its_file(saved: Path) -> None:
    world = World.open(saved)
    World.from_edges([0], [1], [5]).save(saved)
    assert world.head.tolist() == small().head.tolist()
    assert World.open(saved).nodes == 2


def test_crc_is_that_of_rfc_3720() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283
    flat = np.arange(64, dtype=np.uint8)
    assert crc32c(flat[::2].data) == crc32c(bytes(range(0, 64, 2)))
    assert crc32c(flat.reshape(8, 8).data) == crc32c(bytes(range(64)))
