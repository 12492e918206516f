"""Worlds for the tests of hunts, and hunts written in few lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import numpy as np

from huntgraph.hunt import Finding, Hunt, check, loads
from huntgraph.world import World


def grid(width: int, height: int, *, diagonal: bool = False, cost: int = 10) -> World:
    """A grid without holes, node = y * width + x; optionally with 8 neighbours."""
    nodes = np.arange(width * height).reshape(height, width)
    pairs = [(nodes[:, :-1], nodes[:, 1:]), (nodes[:-1], nodes[1:])]
    if diagonal:
        pairs += [(nodes[:-1, :-1], nodes[1:, 1:]), (nodes[:-1, 1:], nodes[1:, :-1])]
    tail = np.concatenate([each.ravel() for a, b in pairs for each in (a, b)])
    head = np.concatenate([each.ravel() for a, b in pairs for each in (b, a)])
    y, x = np.divmod(np.arange(width * height), width)
    return World.from_edges(
        tail,
        head,
        np.full(len(tail), cost),
        positions=np.stack([x, y], axis=1),
        names=np.arange(width * height) + 100,
        grid=(width, height),
        order="given",
    )


def line(edges: Iterable[tuple[int, int]], nodes: int, *, cost: int = 10) -> World:
    """A world of exactly these directed edges; node n lies at (n, 0)."""
    pairs = np.array(list(edges))
    return World.from_edges(
        pairs[:, 0],
        pairs[:, 1],
        np.full(len(pairs), cost),
        nodes=nodes,
        positions=np.stack([np.arange(nodes), np.zeros(nodes, int)], axis=1),
        order="given",
    )


def both(*pairs: tuple[int, int]) -> list[tuple[int, int]]:
    """Each pair in both directions."""
    return [each for a, b in pairs for each in ((a, b), (b, a))]


def hunt_of(text: str) -> Hunt:
    """A hunt from indented text; its first line is line 1."""
    return loads(textwrap.dedent(text).lstrip("\n"), file="t.yaml")


def found(text: str, world: World | None = None) -> list[tuple[str, str, int]]:
    """Severity, code and line of everything a check finds."""
    return [brief(each) for each in check(hunt_of(text), world)]


def brief(finding: Finding) -> tuple[str, str, int]:
    """What a test compares of a finding."""
    return finding.severity, finding.code, finding.line


ONE = "{treasure: z, at: 0, text: x}"
"""A stage without faults."""


def stages(*parts: str, head: str = "") -> str:
    """A hunt of these stages: line 1 its id, then the lines of ``head``, ``stages:``, the parts."""
    lines = ["hunt: t", *head.splitlines(), "stages:"]
    return "\n".join([*lines, *(f"  - {part}" for part in parts)])
