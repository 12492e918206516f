"""A move's price is watched where no noise reaches: in instructions, counted by valgrind.

The time of a move depends on the machine and its neighbours; how many instructions it takes does
not. The bound is a tenth above what docs/performance.md tells.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
CARGO: Final = os.environ.get("CARGO", "cargo")
MOVES: Final = 40_000
SIDE: Final = 1_013
"""A million nodes, few of which are so near the target that they are searched from."""
MOST: Final = 640
COLLECTED: Final = re.compile(r"Collected : (\d+)")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind counts instructions"),
    pytest.mark.skipif(shutil.which(CARGO) is None, reason="cargo builds the program"),
]


@cache
def program() -> Path:
    """Build crates/core/examples/moves.rs, with the names of its functions."""
    profile = ("--profile", "profiling")
    build = [CARGO, "build", "--locked", "-p", "huntgraph-core", "--example", "moves", *profile]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "profiling" / "examples" / "moves"


def instructions(folder: Path, function: str) -> float:
    """Count the instructions of a function and all it calls; gives those for each move."""
    out = f"--callgrind-out-file={folder / 'callgrind'}"
    count = ["valgrind", "--tool=callgrind", out, f"--toggle-collect=*moves::{function}*"]
    ran = subprocess.run(
        [*count, str(program()), str(MOVES), str(SIDE)],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = COLLECTED.search(ran.stderr)
    assert found, ran.stderr
    return int(found[1]) / MOVES


def test_a_move_takes_no_more_instructions_than_before(tmp_path: Path) -> None:
    counted = instructions(tmp_path, "apply_all")
    print(f"{counted:.0f} instructions a move")
    assert 100 < counted <= MOST


def test_more_work_in_the_way_of_a_move_is_counted(tmp_path: Path) -> None:
    """The planted twin: with the making of the moves and the ticks between it is too much."""
    assert instructions(tmp_path, "main") > MOST
