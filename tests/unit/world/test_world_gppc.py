"""GPPC scenarios: patches become exactly the edges that close and open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huntgraph.errors import HuntError, SourceError, UsageError
from huntgraph.world import (
    GppcScenario,
    GppcState,
    Patch,
    Query,
    World,
    import_gppc,
    import_world,
)

SCEN = "version 2\nheight 3\nwidth 4\ncost 1 octile\npatch a.patch\ncommands\n"
PATCHES = (
    "type patch\npatches 2\npatch 0\nheight 1\nwidth 2\nmap\n@.\n"
    "patch 1\nheight 1\nwidth 1\nmap\n.\n"
)


def written(tmp_path: Path, commands: str = "", head: str = SCEN, patches: str = PATCHES) -> Path:
    (tmp_path / "a.patch").write_text(patches)
    path = tmp_path / "a.scen"
    path.write_text(head + commands)
    return path


def test_commands_in_their_order(tmp_path: Path) -> None:
    path = written(tmp_path, "Q 0 1 2 3 0 4.5\nP 1 0 2 1\nP 1 1 2 1\n\nQ 2 0 0 0 0 -1\n")
    scenario = GppcScenario.open(path)
    assert len(scenario) == 4
    assert list(scenario) == [
        Query(0, 1, 2, 3, 0, 4.5),
        Patch(1, 0, 2, 1),
        Patch(1, 1, 2, 1),
        Query(2, 0, 0, 0, 0, -1.0),
    ]
    world = scenario.world()
    world.check()
    assert (world.nodes, world.edges) == (12, 2 * (17 + 12))
    assert import_gppc(path).world_id == import_world(path).world_id == world.world_id


def test_a_patch_closes_and_opens(tmp_path: Path) -> None:
    scenario = GppcScenario.open(written(tmp_path))
    world = scenario.world()
    state = GppcState(scenario, world)
    closed = state.apply(Patch(0, 0, 0, 0))
    # The corner cell has 3 neighbours; the diagonal beside it is cut too: 4 pairs, both ways.
    assert len(closed.tail) == 8
    assert not closed.open.any()
    assert len(state.apply(Patch(0, 0, 0, 0)).tail) == 0
    opened = state.apply(Patch(0, 1, 0, 0))
    assert opened.open.all()
    assert np.array_equal(opened.tail, closed.tail)
    assert np.array_equal(opened.head, closed.head)


def open_pairs(mask: np.ndarray, world: World) -> set[tuple[int, int]]:
    height, width = mask.shape
    found = set()
    for y, x in np.argwhere(mask):
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                inside = 0 <= x + dx < width and 0 <= y + dy < height
                if not (inside and (dx or dy)):
                    continue
                if mask[y, x + dx] and mask[y + dy, x] and mask[y + dy, x + dx]:
                    found.add((world.node_at(x, y), world.node_at(x + dx, y + dy)))
    return found


def test_random_patches_equal_plain_rules(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = ["type patch", "patches 12"]
    for number in range(12):
        height, width = (int(side) for side in rng.integers(1, 9, 2))
        text += [f"patch {number}", f"height {height}", f"width {width}", "map"]
        text += ["".join(rng.choice(list(".@"), width)) for _ in range(height)]
    head = SCEN.replace("height 3", "height 17").replace("width 4", "width 23")
    scenario = GppcScenario.open(written(tmp_path, head=head, patches="\n".join(text)))
    world = scenario.world()
    state = GppcState(scenario, world)
    mask = np.ones((17, 23), dtype=bool)
    pairs = open_pairs(mask, world)
    for _ in range(60):
        number = int(rng.integers(12))
        high, wide = scenario.patches[number].shape
        x, y = int(rng.integers(23 - wide + 1)), int(rng.integers(17 - high + 1))
        changes = state.apply(Patch(0, number, x, y))
        for tail, head_node, is_open in zip(*changes, strict=True):
            pair = (int(tail), int(head_node))
            assert (pair in pairs) != is_open
            pairs ^= {pair}
        mask[y : y + high, x : x + wide] = scenario.patches[number]
        assert np.array_equal(mask, state.mask)
        assert pairs == open_pairs(mask, world)


@pytest.mark.parametrize(
    ("head", "commands", "line", "said"),
    [
        ("version 1\n", "", 1, 'version "1"'),
        ("version 2\nheight 0\n", "", 2, "not a height"),
        (SCEN.replace("1 octile", "2 octile"), "", 4, 'cost is "2 octile"'),
        (SCEN.replace("commands", "command"), "", 6, '"commands" is missing'),
        (SCEN, "P 0 0 3 0\n", 7, "reaches outside"),
        (SCEN, "P 0 0 -1 0\n", 7, "reaches outside"),
        (SCEN, "\nP 0 2 0 0\n", 8, "no patch 2"),
        (SCEN, "P 0 x 0 0\n", 7, "not a number"),
        (SCEN, "Q 0 0 0 4 0 1.0\n", 7, "outside the grid"),
        (SCEN, "Q 0 0 0 3 0 one\n", 7, "not a number"),
        (SCEN, "Q 0 0 0 3\n", 7, "not a command"),
        (SCEN, "R 0 0\n", 7, "not a command"),
    ],
)
def test_wrong_scenarios(tmp_path: Path, head: str, commands: str, line: int, said: str) -> None:
    path = written(tmp_path, commands, head)
    with pytest.raises(SourceError, match=said) as caught:
        GppcScenario.open(path)
    assert caught.value.where == f"{path}:{line}"


@pytest.mark.parametrize(
    ("patches", "line", "said"),
    [
        ("type map\n", 1, "not a patch file"),
        ("type patch\npatches 0\n", 2, "not a patches"),
        (PATCHES.replace("patch 1", "patch 2"), 8, "patch 1 should stand here"),
        (PATCHES.replace("@.", "@"), 7, "1 cells, not 2"),
        (PATCHES.replace("@.", "@?"), 7, '"\\?" is not a cell'),
        (PATCHES + "rest\n", 13, "after the last patch"),
        (PATCHES[:-2], 12, "ends where row 0 of 1"),
    ],
)
def test_wrong_patches(tmp_path: Path, patches: str, line: int, said: str) -> None:
    path = written(tmp_path, patches=patches)
    with pytest.raises(SourceError, match=said) as caught:
        GppcScenario.open(path)
    assert caught.value.line == line
    assert str(tmp_path / "a.patch") in caught.value.where


def test_what_does_not_belong_together(tmp_path: Path) -> None:
    scenario = GppcScenario.open(written(tmp_path))
    with pytest.raises(UsageError, match="not this scenario's"):
        GppcState(scenario, World.from_edges([0], [1], [1]))
    with pytest.raises(HuntError, match="not a world"):
        import_world(tmp_path / "a.patch")
    (tmp_path / "a.patch").unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        GppcScenario.open(tmp_path / "a.scen")
