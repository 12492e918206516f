"""The same records give the same state in a debug and a release build, and over restarts."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pytest

from huntgraph.schema import MOVE, Kind
from tests.model.checker import engine_class
from tests.model.realm import Realm, Shore

ROOT: Final = Path(__file__).parents[2]
CARGO: Final = os.environ.get("CARGO", "cargo")
STEPS: Final = 3000
EXPECTED: Final = (Kind.GO, Kind.EDGE_ADD, Kind.HUNT_STAGE, Kind.TICK, Kind.ARRIVE, Kind.NOTICE)

pytestmark = [
    pytest.mark.skipif(engine_class() is None, reason="the extension is not built"),
    pytest.mark.skipif(shutil.which(CARGO) is None, reason="cargo builds the two programs"),
]


@cache
def program(*profile: str) -> Path:
    """Build crates/core/examples/hashes.rs, which asserts more in a debug build."""
    build = [CARGO, "build", "--locked", "-p", "huntgraph-core", "--example", "hashes", *profile]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / ("release" if profile else "debug") / "examples" / "hashes"


@cache
def history(seed: int) -> list[Shore]:
    """Three partitions with hunts, changed edges, crashes and players who walk over borders."""
    realm = Realm(Random(seed), 3, capacity=40)
    for _ in range(STEPS):
        realm.step()
    realm.settle()
    return realm.shores


def hashes(folder: Path, shore: Shore, log: list[bytes], restarts: int, *profile: str) -> list[str]:
    """Positions and state hashes on the way through a partition's log."""
    state, records = folder / "state", folder / "records"
    state.write_bytes(shore.blank())
    records.write_bytes(b"".join(log))
    command = [str(each) for each in (program(*profile), state, records, restarts)]
    return subprocess.check_output(command, text=True, timeout=120).splitlines()


def test_builds_and_restarts_agree(tmp_path: Path) -> None:
    kinds: set[int] = set()
    for shore in history(502):
        ways = [
            hashes(tmp_path, shore, shore.log, restarts, *profile)
            for profile in ((), ("--release",))
            for restarts in (0, 77)
        ]
        assert ways[1:] == ways[:1] * 3
        assert ways[0][-1] == f"{shore.model.position} {shore.model.state_hash():016x}"
        assert len(ways[0]) > 10
        kinds |= {record[0] for record in shore.log}
    assert set(EXPECTED) <= kinds


def test_one_changed_record_is_seen(tmp_path: Path) -> None:
    shore = history(502)[0]
    first = hashes(tmp_path, shore, shore.log, 0)
    at = next(at for at, record in enumerate(shore.log) if record[0] == Kind.EDGE_PRICE)
    changed = np.frombuffer(shore.log[at], MOVE).copy()
    changed["arg"] ^= 1  # as a build that rounds otherwise might have it
    planted = [*shore.log[:at], changed.tobytes(), *shore.log[at + 1 :]]
    assert hashes(tmp_path, shore, planted, 0) != first
