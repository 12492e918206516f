"""A small world and the means to run a real actor on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from huntgraph.cluster import ActorOptions, Authority
from huntgraph.hunt import Hunt, generate_hunt
from huntgraph.world import World, generate


@pytest.fixture(scope="session")
def world() -> World:
    """A world of about 10,000 edges."""
    return generate(10_000, seed=2)


@pytest.fixture(scope="session")
def hunt(world: World) -> Hunt:
    """A hunt on it."""
    return generate_hunt(world, seed=4)


@pytest.fixture
def options(world: World, short_path: Path) -> ActorOptions:
    """How to start an actor on the world, in a folder of its own."""
    world.save(short_path / "world.hgw")
    identity = Authority.create_or_open(short_path / "certificates").server_identity()
    return ActorOptions(
        short_path / "actor", short_path / "world.hgw", identity, players=64, segment_mib=16
    )
