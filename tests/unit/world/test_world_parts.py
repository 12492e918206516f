"""Damage to a part, or to one of several parts, is found and named (P5, P16)."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph._core import crc32c
from huntgraph.errors import UsageError, WorldFileError
from huntgraph.world import Parts, World, generate, split
from huntgraph.world.arrays import checksum, name_contents


@pytest.fixture(scope="module")
def whole() -> World:
    return generate(3_000, 2)


@pytest.fixture
def parts(whole: World) -> Parts:
    return split(whole, 4)


@pytest.fixture
def folder(parts: Parts, tmp_path: Path) -> Path:
    parts.save(tmp_path)
    return tmp_path


def renamed(world: World, **arrays: Any) -> World:
    """The world with some arrays put in the place of its own, and the id they give."""
    changed = replace(world, **arrays)
    crcs = (checksum(changed.first), checksum(changed.head), checksum(changed.cost))
    return replace(changed, world_id=name_contents(changed.nodes, changed.edges, crcs))


def with_part(world: World, **facts: Any) -> World:
    assert world.part is not None
    part = replace(world.part, **facts)
    return replace(world, part=part, meta={**world.meta, "part": part.facts()})


def swapped(array: Any, one: int, other: int) -> Any:
    found = array.copy()
    found[[one, other]] = found[[other, one]]
    return found


def put(array: Any, at: int, value: int) -> Any:
    found = array.copy()
    found[at] = value
    return found


def test_parts_are_saved_and_opened_again(folder: Path, parts: Parts, whole: World) -> None:
    again = Parts.open(folder)
    again.check(whole)
    assert again.info() == parts.info()
    assert [world.world_id for world in again] == [world.world_id for world in parts]
    listed = json.loads((folder / "parts.json").read_text())
    assert listed == {"schema": "huntgraph.parts/1", **parts.info()}
    for before, after in zip(parts, again, strict=True):
        assert (before.partition, before.parts) == (after.partition, after.parts)
        for name in ("owner", "twin", "global_ids", "head", "cost", "x"):
            assert np.array_equal(getattr(before, name), getattr(after, name))
        assert before.meta == after.meta
        after.check()


def test_the_layout_is_the_documented_one(folder: Path, parts: Parts) -> None:
    data = (folder / "part-02.hgw").read_bytes()
    assert struct.unpack_from("<I", data, 12)[0] == 3  # grid and part
    count = struct.unpack_from("<I", data, 52)[0]
    rows = [struct.unpack_from("<8sQQII", data, 64 + 32 * at) for at in range(count)]
    tags = [row[0].rstrip(b"\0").decode() for row in rows]
    assert tags == ["first", "head", "cost", "x", "y", "z", "owner", "twin", "global", "meta"]
    nodes = parts[2].nodes
    for tag, item, kind in (("owner", 2, "<u2"), ("twin", 4, "<u4"), ("global", 4, "<u4")):
        _, offset, size, _, stored = rows[tags.index(tag)]
        assert (size, stored) == (nodes * item, item)
        found = np.frombuffer(data, kind, nodes, offset)
        assert np.array_equal(found, getattr(parts[2], "global_ids" if tag == "global" else tag))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda w: with_part(w, partition=9), "partition 9 of 4"),
        (lambda w: with_part(w, owner=np.roll(w.owner, 1)), "do not come first"),
        (lambda w: with_part(w, owner=put(w.owner, -1, 7)), "not one of 4"),
        (lambda w: with_part(w, twin=swapped(w.twin, 0, 1)), "its own twin"),
        (lambda w: with_part(w, twin=swapped(w.twin, w.nodes - 1, w.nodes - 2)), "not sorted"),
        (lambda w: with_part(w, global_ids=put(w.global_ids, 0, int(w.global_ids[1]))), "twice"),
        (lambda w: with_part(w, global_ids=put(w.global_ids, 0, w.part.whole_nodes)), "too large"),
        (lambda w: renamed(w, cost=put(w.cost, -1, 5)), "leads out of the halo"),
        (lambda w: renamed(w, head=put(w.head, -1, w.own_nodes)), "to another halo node"),
        (lambda w: renamed(w, first=put(w.first, -2, w.edges)), "shares no edge"),
    ],
)
def test_a_damaged_part_is_refused(folder: Path, parts: Parts, damage: Any, said: str) -> None:
    path = folder / "part-01.hgw"
    damage(parts[1]).save(path)
    with pytest.raises(WorldFileError, match=said) as caught:
        World.open(path)
    assert caught.value.where == str(path)
    assert "split" in caught.value.fix
    World.open(path, verify="header")


def first_crossing(world: World) -> int:
    return int(np.flatnonzero(world.head[: world.first[world.own_nodes]] >= world.own_nodes)[0])


def other_cost(world: World) -> World:
    return renamed(world, cost=put(world.cost, 5, int(world.cost[5]) + 1))


def swapped_edge(world: World) -> World:
    """Two unequal costs of one row change places."""
    for node in range(world.own_nodes):
        start, stop = int(world.first[node]), int(world.first[node + 1])
        if stop - start > 1 and world.cost[start] != world.cost[start + 1]:
            return renamed(world, cost=swapped(world.cost, start, start + 1))
    raise AssertionError("all edges of a row cost the same")


def dropped_edge(world: World) -> World:
    return renamed(world, cost=put(world.cost, first_crossing(world), 0))


def dropped_slots(world: World) -> World:
    """A slot between two own nodes and its way back are not there at all."""
    inside = world.head < world.own_nodes
    at = next(
        slot
        for slot in np.flatnonzero(inside & (world.tails() < world.own_nodes)).tolist()
        if world.cost[slot]
    )
    ends = int(world.tails()[at]), int(world.head[at])
    keep = np.ones(world.edges, dtype=np.bool_)
    back = world.slot(*ends[::-1])
    assert back is not None
    keep[[at, back]] = False
    lengths = np.bincount(world.tails()[keep], minlength=world.nodes)
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)
    return renamed(world, first=first, head=world.head[keep], cost=world.cost[keep])


def wrong_twin(world: World) -> World:
    assert world.twin is not None
    return with_part(world, twin=put(world.twin, -1, int(world.twin[-1]) + 1))


def wrong_node(world: World) -> World:
    assert world.global_ids is not None
    last = world.nodes - 1
    return with_part(world, global_ids=swapped(world.global_ids, last, last - 1))


def twice_owned(world: World) -> World:
    assert world.global_ids is not None
    own, halo = 0, world.own_nodes
    return with_part(world, global_ids=swapped(world.global_ids, own, halo))


def moved_node(world: World) -> World:
    return replace(world, z=put(world.z, 3, int(world.z[3]) + 1))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (other_cost, "missing, another or too many"),
        (swapped_edge, "missing, another or too many"),
        (dropped_edge, "missing, another or too many"),
        (dropped_slots, "missing, another or too many"),
        (wrong_twin, "a twin is"),
        (wrong_node, "another node of its owner"),
        (twice_owned, "no owner, or two"),
        (moved_node, "z of a node"),
    ],
)
def test_a_planted_fault_between_parts_is_found(
    parts: Parts, whole: World, damage: Any, said: str
) -> None:
    parts.check(whole)
    worlds = list(parts)
    worlds[1] = damage(worlds[1])
    with pytest.raises(WorldFileError, match=said) as caught:
        Parts(worlds).check(whole)
    assert caught.value.where.startswith(("part 1", "the parts"))


def test_parts_of_another_world_are_refused(parts: Parts, whole: World) -> None:
    with pytest.raises(WorldFileError, match="not made of this world"):
        parts.check(generate(3_000, 3))
    for worlds in (
        [],
        [whole],
        list(parts)[:3],
        list(parts)[::-1],
        [*parts[:3], split(whole, 5)[3]],
    ):
        with pytest.raises(UsageError, match="parts"):
            Parts(worlds)


def test_a_folder_that_is_not_whole_is_refused(folder: Path, whole: World) -> None:
    with pytest.raises(WorldFileError, match="index of the parts"):
        Parts.open(folder / "none")
    split(whole, 4, seed=9)[2].save(folder / "part-02.hgw")
    with pytest.raises(WorldFileError, match=r"not the one that parts\.json lists") as caught:
        Parts.open(folder)
    assert caught.value.where.endswith("part-02.hgw")
    (folder / "part-02.hgw").unlink()
    with pytest.raises(WorldFileError, match="cannot be read"):
        Parts.open(folder)
    for text in ("", "[]", "{}", '{"partitions": [{"file": 1}]}', '{"partitions": []}'):
        (folder / "parts.json").write_text(text)
        with pytest.raises(WorldFileError, match="index of the parts"):
            Parts.open(folder)


def test_flag_and_sections_go_together(folder: Path, tmp_path: Path) -> None:
    path = folder / "part-00.hgw"
    data = bytearray(path.read_bytes())
    for flags, said in ((1, "flags do not say"), (7, "not allow")):
        struct.pack_into("<I", data, 12, flags)
        data[56:60] = bytes(4)
        struct.pack_into("<I", data, 56, crc32c(bytes(data[:4096])))
        path.write_bytes(data)
        with pytest.raises(WorldFileError, match=said):
            World.open(path)


@pytest.mark.parametrize("facts", [None, [], {}, {"partition": "x"}])
def test_meta_must_say_which_part_it_is(folder: Path, parts: Parts, facts: Any) -> None:
    path = folder / "part-00.hgw"
    replace(parts[0], meta={**parts[0].meta, "part": facts}).save(path)
    with pytest.raises(WorldFileError, match="which part of which world"):
        World.open(path)
