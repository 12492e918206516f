"""Graph libraries beside huntgraph on the same maps: distances, and distances under churn.

Every library runs in a process of its own with a limit on its time, and no time counts before the
library's answers were compared with SciPy's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bench.oracle import distances
from huntgraph.bench.outside import ROOT, AbsentError, ask
from huntgraph.bench.result import Found
from huntgraph.bench.rivals.graph import NEAR, Task, churn_pairs
from huntgraph.bench.scene import SEED, Options
from huntgraph.schema import UNREACHABLE
from huntgraph.world import World, generate, import_world

__all__ = ["differences", "routes", "task_of"]

LIBRARIES: Final = (
    "huntgraph", "scipy", "igraph", "rustworkx", "networkit", "networkit_dynamic", "cch",
)  # fmt: skip
MAPS: Final = {
    "den520d": "movingai/den520d.map",
    "berlin": "movingai/Berlin_0_512.map",
    "bremen": "dimacs/bremen_dist.gr",
}
F64 = NDArray[np.float64]
PAIRS: Final = 7
ASKED: Final = 1_000
ROUNDS: Final = 10
CHANGES: Final = 100


def routes(options: Options, folder: Path) -> Found:
    """Measure every library on a generated grid and on real maps."""
    figures: dict[str, float] = {}
    notes: dict[str, str] = {}
    compared = 0
    for name, world in _worlds(options, notes):
        place = folder / name
        place.mkdir()
        world.save(place / "world.hgw")
        task = task_of(world)
        task.save(place)
        expected = _expected(task, world)
        figures |= {f"{name}_nodes": world.nodes, f"{name}_edges": len(task.tail)}
        for library in LIBRARIES:
            module = library if library == "networkit_dynamic" else f"{library}_graph"
            try:
                found = ask(module, place, limit_s=max(60.0, 60.0 * options.seconds))
                compared += _compare(place, expected)
            except AbsentError as absent:
                notes[f"{name}_{library}"] = str(absent)
                continue
            figures |= {f"{name}_{library}_{key}": value for key, value in found.items()}
    return Found(
        figures=figures,
        samples=compared,
        offered=f"distances of {ASKED:,} nodes to one, and of {PAIRS} pairs; {ROUNDS} times "
        f"{CHANGES} new weights, and the exact distances and one pair's after each; each library "
        "alone, one thread",
        idle_policy="none",
        notes=notes,
    )


def _worlds(options: Options, notes: dict[str, str]) -> Iterator[tuple[str, World]]:
    yield "grid", generate(options.edges, SEED)
    if not options.maps:
        return
    data = Path(os.environ.get("HUNTGRAPH_DATA") or ROOT / ".." / "shared" / "data")
    for name, file in MAPS.items():
        if (data / file).is_file():
            yield name, import_world(data / file)
        else:
            notes[name] = "the map is absent: set HUNTGRAPH_DATA to the folder of the data sets"


def task_of(world: World) -> Task:
    """Draw the questions for a world: the same for every library."""
    rng = np.random.default_rng(SEED)
    tails = world.tails().astype(np.int64)
    real = np.flatnonzero(world.cost)
    cost = world.cost[real].astype(np.int64)
    root = world.nodes // 2
    hops = distances(world, (world.cost > 0).astype(np.int64), root)
    near = np.flatnonzero((hops > 0) & (hops <= 5))[:NEAR]
    reached = np.flatnonzero(hops < world.nodes)
    far = rng.choice(reached, min(ASKED, len(reached)), replace=False)
    changed = rng.choice(len(real), (ROUNDS, CHANGES))
    factors = rng.integers(50, 200, changed.shape)
    return Task(
        tail=world.head[real].astype(np.int64),
        head=tails[real],
        weight=cost,
        nodes=np.array(world.nodes),
        place=np.column_stack([world.x, world.y]).astype(np.float64),
        root=np.array(root),
        asked=np.concatenate([near, far]),
        pairs=rng.choice(reached, (PAIRS, 2)),
        changed=changed,
        prices=np.clip(cost[changed] * factors // 100, 1, 60_000),
    )


def _expected(task: Task, world: World) -> dict[str, F64]:
    """Give what is right, by SciPy."""
    real = np.flatnonzero(world.cost)
    weight = world.cost.astype(np.int64)

    def away(root: int) -> F64:
        found = distances(world, weight, root).astype(np.float64)
        return np.where(found == UNREACHABLE, np.inf, found)

    first = away(int(task.root))[task.asked]
    pairs = np.array([away(source)[target] for source, target in task.pairs.tolist()])
    moved = []
    rounds = zip(task.changed, task.prices, churn_pairs(task), strict=True)
    for edges, prices, (source, target) in rounds:
        weight[real[edges]] = prices
        moved.append(away(source)[target])
    last = away(int(task.root))[task.asked]
    return {"first": first, "pairs": pairs, "last": last, "moved": np.array(moved)}


def _compare(folder: Path, expected: dict[str, F64]) -> int:
    """Count the answers of a library, all of which must be right."""
    with np.load(folder / "answers.npz") as file:
        answers = {name: file[name] for name in expected}
    (folder / "answers.npz").unlink()
    wrong = differences(answers, expected)
    if wrong:
        raise AbsentError(f"wrong: {wrong}")
    return sum(len(part) for part in expected.values())


def differences(answers: dict[str, F64], expected: dict[str, F64]) -> str:
    """Say how many answers of which kind differ; empty when none does."""
    counts = {
        name: int(np.count_nonzero(np.asarray(answers[name], float) != expected[name]))
        for name in expected
    }
    parts = [f"{n} of {len(expected[name])} {name}" for name, n in counts.items() if n]
    return ", ".join(parts)
