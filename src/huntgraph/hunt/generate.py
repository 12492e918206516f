"""A random hunt that can be solved, for demonstrations and bots."""

from __future__ import annotations

import random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import UsageError
from huntgraph.hunt.checking import check
from huntgraph.hunt.hunt import Hunt, loads
from huntgraph.hunt.page import Page
from huntgraph.hunt.places import AnyWorld, distances_squared
from huntgraph.hunt.reach import Ways, main_part
from huntgraph.hunt.source import Source
from huntgraph.schema import STAGES, TEAMS, WEIGHT_MAX

__all__ = ["generate_hunt"]

CANDIDATES: Final = 256
"""Nodes looked at for each stage: the one farthest from all chosen before is taken."""
TRIES: Final = 20
COLOURS: Final = (
    ("red", "rot"), ("blue", "blau"), ("green", "gruen"), ("gold", "gold"),
    ("silver", "silber"), ("black", "schwarz"), ("white", "weiss"), ("violet", "violett"),
)  # fmt: skip
SIGHTS: Final = (
    ("lighthouse", "Leuchtturm"), ("well", "Brunnen"), ("mill", "Muehle"), ("oak", "Eiche"),
    ("tower", "Turm"), ("bridge", "Bruecke"), ("cave", "Hoehle"), ("chapel", "Kapelle"),
    ("harbour", "Hafen"), ("garden", "Garten"), ("quarry", "Steinbruch"), ("spring", "Quelle"),
)  # fmt: skip


def generate_hunt(
    world: AnyWorld,
    *,
    seed: int,
    clues: int = 6,
    treasures: int = 4,
    teams: int = 2,
    name: str = "demo",
) -> Hunt:
    """Make a random hunt on a world; the same arguments give the same hunt.

    Its places are spread over the largest part of the world where every node can be reached from
    every other. Clues come in two chains that join, treasures are exclusive, per team (with teams)
    and per player in turn; the last treasure lies behind a gate that the first clue opens, where
    the world has room for one. All texts are in English and German. ``check`` finds nothing in it.

    Raises UsageError for counts that do not fit a hunt, or a world too small for them.
    """
    if clues < 0 or treasures < 1 or not 1 <= clues + treasures <= STAGES:
        raise UsageError(
            f"{clues} clues and {treasures} treasures make no hunt",
            fix=f"take at least one treasure, and at most {STAGES} stages together",
        )
    if not 0 <= teams <= TEAMS:
        raise UsageError(f"a hunt cannot have {teams} teams", fix=f"take 0 to {TEAMS}")
    chance = random.Random(seed)
    part = main_part(Ways(world))
    if len(part) < clues + treasures + 1:
        what = f"the world's largest part has {len(part)} nodes, too few for {clues + treasures}"
        raise UsageError(f"{what} stages", fix="use a larger world or fewer stages")
    nodes = _spread_out(world, part, clues + treasures + 1, chance)
    page = _page(world, nodes, (clues, treasures, teams), chance, f"{name}-{seed}")
    for _ in range(TRIES if clues else 0):
        hunt = _read({**page, "gates": [_vault(world, page, nodes[-1])]})
        if not check(hunt, world):
            return hunt
        nodes[-1] = int(part[chance.randrange(len(part))])
        page["stages"][-1]["at"] = nodes[-1]
    return _read(page)


def _read(page: dict[str, Any]) -> Hunt:
    # Written and read again, so that findings have lines and the file is what was checked.
    return loads(Hunt(Page.model_validate(page), Source("", {}, {}, {})).to_yaml())


def _spread_out(
    world: AnyWorld, part: NDArray[np.int64], count: int, chance: random.Random
) -> list[int]:
    pool = np.array(sorted(chance.sample(range(len(part)), min(len(part), CANDIDATES * 4))))
    nodes = part[pool]
    chosen = [int(nodes[chance.randrange(len(nodes))])]
    nearest = distances_squared(world, nodes, chosen[0])
    nearest[nodes == chosen[0]] = -1.0
    while len(chosen) < count:
        # Of some free candidates the farthest from all chosen: spread, but not the rim alone.
        free = np.flatnonzero(nearest >= 0)
        some = np.array(chance.sample(free.tolist(), min(len(free), 1 + len(free) // 4)))
        best = int(some[int(np.argmax(nearest[some]))])
        chosen.append(int(nodes[best]))
        nearest = np.minimum(nearest, distances_squared(world, nodes, chosen[-1]))
        nearest[np.isin(nodes, chosen)] = -1.0
    return chosen


def _page(
    world: AnyWorld,
    nodes: list[int],
    counts: tuple[int, int, int],
    chance: random.Random,
    name: str,
) -> dict[str, Any]:
    clues, treasures, teams = counts
    stages: list[dict[str, Any]] = []
    for index in range(clues):
        stages.append(_clue(index, nodes[index + 1], chance))
    for index in range(treasures):
        node = nodes[clues + index + 1]
        stages.append(_treasure(index, node, (clues, treasures, teams), chance))
    names = [COLOURS[i][0] if i < len(COLOURS) else f"team-{i + 1}" for i in range(teams)]
    dearest = int(np.max(world.cost, initial=0))
    step = min(max(1, dearest // 8), (WEIGHT_MAX - dearest) // 15)
    return {
        "hunt": name,
        "title": {"en": "A hunt to try", "de": "Eine Jagd zum Ausprobieren"},
        "languages": ["en", "de"],
        "teams": names,
        "start": [nodes[0]],
        "traffic": {
            "rise": 4,
            "bucket": 16,
            "bucket_cost": step,
            "decay_share": "1/8",
            "decay_every": "5s",
        },
        "stages": stages,
    }


def _clue(index: int, node: int, chance: random.Random) -> dict[str, Any]:
    english, german = SIGHTS[chance.randrange(len(SIGHTS))]
    colour, farbe = COLOURS[chance.randrange(len(COLOURS))]
    clue: dict[str, Any] = {
        "clue": f"clue-{index + 1}",
        "at": node,
        "points": 10,
        "text": {
            "en": f"Follow the {colour} sign to the {english}.",
            "de": f"Folge dem Zeichen in {farbe} zum Ziel {german}.",
        },
        "hints": [
            {
                "after": "30s",
                "cost": 2,
                "text": {"en": "Go on as you are led.", "de": "Geh, wie du geleitet wirst."},
            }
        ],
    }
    # Two chains side by side (even and odd numbers); every fourth clue takes either.
    if index >= 2:
        both = [f"clue-{index}", f"clue-{index - 1}"]
        clue["needs"] = {"any": both} if index % 4 == 3 else both[1]
    return clue


def _treasure(
    index: int, node: int, counts: tuple[int, int, int], chance: random.Random
) -> dict[str, Any]:
    clues, treasures, teams = counts
    kinds = ["player", "exclusive", "team"] if teams else ["player", "exclusive"]
    treasure: dict[str, Any] = {
        "treasure": f"treasure-{index + 1}",
        "at": node,
        "who": kinds[index % len(kinds)],
        "points": 50 + 10 * chance.randrange(6),
        "text": {"en": f"Chest number {index + 1}.", "de": f"Truhe Nummer {index + 1}."},
        "reward": {"id": "coin", "amount": 1 + chance.randrange(20)},
    }
    last = index == treasures - 1
    if clues and last:
        names = [f"clue-{number}" for number in range(max(1, clues - 1), clues + 1)]
        treasure["needs"] = {"all": names}
    elif clues and index:
        treasure["needs"] = f"clue-{1 + chance.randrange(clues)}"
    return treasure


def _vault(world: AnyWorld, page: dict[str, Any], node: int) -> dict[str, Any]:
    row = slice(int(world.first[node]), int(world.first[node + 1]))
    neighbours = [int(each) for each in world.head[row]]
    edges = [[tail, node] for tail in neighbours if world.edge(tail, node) is not None]
    return {"gate": "vault", "edges": edges, "shut_at_start": True, "flips_when": ["clue-1"]}
