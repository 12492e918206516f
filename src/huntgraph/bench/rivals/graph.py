"""What every graph library is asked, and how it is timed; one module a library answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["I64", "NEAR", "Library", "Task", "churn_pairs", "measure_library"]

I64 = NDArray[np.int64]
NEAR: Final = 32
"""Of the nodes asked, those near the root come first: so many at most."""
TRIES: Final = 3


class Task(NamedTuple):
    """A graph and questions about it; saved as one .npz file.

    Edges are turned round: distances *from* ``root`` here are distances *to* it in the world.
    """

    tail: I64
    head: I64
    weight: I64
    """Shape (edges,), sorted by head."""
    nodes: I64
    """The count of nodes, shape ()."""
    place: NDArray[np.float64]
    """Positions, shape (nodes, 2)."""
    root: I64
    asked: I64
    """Nodes whose distance from ``root`` is asked; the first ones are near it."""
    pairs: I64
    """From, to: shape (pairs, 2)."""
    changed: I64
    """Edges that change, shape (rounds, changes)."""
    prices: I64
    """Their new weights, of the same shape."""

    def save(self, folder: Path) -> None:
        """Write the task into a folder."""
        np.savez(folder / "task.npz", **self._asdict())

    @classmethod
    def load(cls, folder: Path) -> Task:
        """Read it."""
        with np.load(folder / "task.npz") as file:
            return cls(**{name: file[name] for name in cls._fields})


class Library(Protocol):
    """A graph in somebody's library."""

    def all(self) -> Any:
        """Give the distances from the root to the nodes asked."""

    def pair(self, source: int, target: int) -> float:
        """Give the distance between two nodes."""

    def change(self, edges: I64, prices: I64) -> None:
        """Change weights of edges."""


def measure_library(
    folder: Path, make: Callable[[Task], Library], *, keeps: bool = False
) -> dict[str, float]:
    """Time a library and write its answers to ``answers.npz``, to be compared.

    ``keeps`` says that it keeps distances and only repairs them: then `all` is timed once.
    """
    task = Task.load(folder)
    before, began_s = _rss_bytes(), time.perf_counter()
    library = make(task)
    build_s, rss = time.perf_counter() - began_s, _rss_bytes() - before
    first, all_ms = _timed(library.all, 1 if keeps else TRIES)
    pairs, pair_ms = [], []
    for source, target in task.pairs.tolist():
        distance, took_ms = _timed(partial(library.pair, source, target), 1)
        pairs.append(distance)
        pair_ms += took_ms
    churn = _churn(library, task, first)
    np.savez(folder / "answers.npz", first=first, pairs=pairs, last=churn.last, moved=churn.moved)
    return {
        "build_s": round(build_s, 3),
        "rss_bytes_per_edge": round(rss / len(task.tail), 1),
        "one_to_all_ms": round(min(all_ms), 4),
        "pair_ms": round(float(np.median(pair_ms)), 4),
        "change_and_exact_ms": round(float(np.median(churn.exact_ms)), 4),
        "change_and_pair_ms": round(float(np.median(churn.pair_ms)), 4),
    }


class _Churn(NamedTuple):
    """Times of each round, a change and what is asked after it, and the answers."""

    exact_ms: list[float]
    pair_ms: list[float]
    last: Any
    moved: list[float]


def _churn(library: Library, task: Task, first: Any) -> _Churn:
    churn = _Churn([], [], first, [])
    rounds = zip(task.changed, task.prices, churn_pairs(task), strict=True)
    for edges, prices, (source, target) in rounds:
        _, (change_ms,) = _timed(partial(library.change, edges, prices), 1)
        last, (all_ms,) = _timed(library.all, 1)
        distance, (pair_ms,) = _timed(partial(library.pair, source, target), 1)
        churn.exact_ms.append(change_ms + all_ms)
        churn.pair_ms.append(change_ms + pair_ms)
        churn.moved.append(distance)
        churn = churn._replace(last=last)
    return churn


def churn_pairs(task: Task) -> list[list[int]]:
    """Give the pair that is asked after each round of changes: the task's, in turns."""
    pairs: list[list[int]] = task.pairs.tolist()
    return [pairs[number % len(pairs)] for number in range(len(task.changed))]


def _timed(work: Callable[[], Any], tries: int) -> tuple[Any, list[float]]:
    found, times = None, []
    for _ in range(tries):
        began_s = time.perf_counter()
        found = work()
        times.append((time.perf_counter() - began_s) * 1e3)
    return found, times


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
