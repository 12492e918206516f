"""The price of a move, a frame and a handshake is watched where no noise reaches: in instructions.

Their time depends on the machine and its neighbours; how many instructions they take, counted by
valgrind, does not. So it is with a tick, and with going back, on again and comparing. Each bound is
at most a tenth above what was counted; those of a frame and of a handshake, much of which is
arithmetic that never changes, 3 %.
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

from huntgraph.world import generate

ROOT: Final = Path(__file__).parents[2]
CARGO: Final = os.environ.get("CARGO", "cargo")
MOVES: Final = 40_000
SIDE: Final = 1_013
"""A million nodes, few of which are so near the target that they are searched from."""
MOST: Final = 640
TICK_MOST: Final = 58
"""Of a tick's share of the decay, for each of the 4,000 moves before it."""
RECORDS: Final = 66_800
"""Records that crates/core/examples/forks.rs forks."""
HISTORY_MOST: Final = {"rewind": 156, "replay": 625, "compare": 20}
"""For each of these records, by the phase of a fork."""
FRAMES: Final = 400
FRAME_EDGES: Final = 400_000
"""Of the world they walk in: few nodes are so near the target that they are searched from."""
MOST_OF_A_FRAME: Final = 188_000
"""Both ends', for 100 moves in a datagram and their answers in another; a third is the cipher's."""
HANDSHAKES: Final = 10
"""Full ones, and as many resumed."""
MOST_OF_A_HANDSHAKE: Final = 5_310_000
"""Both ends', the mean of full and resumed, without the instructions that valgrind lacks."""
COLLECTED: Final = re.compile(r"Collected : (\d+)")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind counts instructions"),
    pytest.mark.skipif(shutil.which(CARGO) is None, reason="cargo builds the program"),
]


@cache
def program(package: str, example: str) -> Path:
    """Build an example program as it is shipped, but for the names of its functions, which stay.

    A profile of its own would compile all it depends on once more.
    """
    build = [CARGO, "rustc", "--release", "--locked", "-p", package, "--example", example]
    subprocess.run([*build, "--", "-Cstrip=none"], cwd=ROOT, check=True, capture_output=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / example


def instructions(folder: Path, function: str, ran: Path, *arguments: object) -> int:
    """Count the instructions of a program's function and all it calls."""
    out = f"--callgrind-out-file={folder / 'callgrind'}"
    count = ["valgrind", "--tool=callgrind", out, f"--toggle-collect=*{function}*"]
    told = subprocess.run(
        [*count, str(ran), *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = COLLECTED.search(told.stderr)
    assert found, told.stderr
    return int(found[1])


def of_a_move(folder: Path, function: str) -> float:
    """Count those of crates/core/examples/moves.rs, for each move."""
    moves = program("huntgraph-core", "moves")
    return instructions(folder, f"moves::{function}", moves, MOVES, SIDE) / MOVES


def of_a_record(folder: Path, phase: str) -> float:
    """Count those of crates/core/examples/forks.rs, for each record that is forked, once."""
    forks = program("huntgraph-core", "forks")
    return instructions(folder, f"forks::{phase}", forks, 1) / RECORDS


def of_a_frame(folder: Path, function: str) -> float:
    """Count those of crates/actor/examples/frames.rs, for each frame."""
    frames, world = program("huntgraph-actor", "frames"), folder / "world.hgw"
    generate(FRAME_EDGES, seed=11).save(world)
    return instructions(folder, function, frames, world, FRAMES) / FRAMES


def of_a_handshake(folder: Path, function: str) -> float:
    """Count those of crates/actor/examples/handshakes.rs, for each handshake."""
    handshakes = program("huntgraph-actor", "handshakes")
    # One of each kind goes before those that are timed.
    made = 2 * (HANDSHAKES + 1)
    return instructions(folder, function, handshakes, HANDSHAKES) / made


def test_a_move_takes_no_more_instructions_than_before(tmp_path: Path) -> None:
    counted = of_a_move(tmp_path, "apply_all")
    print(f"{counted:.0f} instructions a move")
    assert 100 < counted <= MOST


def test_a_tick_takes_no_more_instructions_than_before(tmp_path: Path) -> None:
    counted = of_a_move(tmp_path, "tick")
    print(f"{counted:.0f} instructions of ticks a move")
    assert 10 < counted <= TICK_MOST


def test_more_work_in_the_way_of_a_move_is_counted(tmp_path: Path) -> None:
    """The planted twin: with the making of the moves and the ticks between it is too much."""
    assert of_a_move(tmp_path, "main") > max(MOST, TICK_MOST)


@pytest.mark.parametrize("phase", HISTORY_MOST)
def test_a_fork_takes_no_more_instructions_than_before(tmp_path: Path, phase: str) -> None:
    counted = of_a_record(tmp_path, phase)
    print(f"{phase}: {counted:.0f} instructions a record")
    assert 10 < counted <= HISTORY_MOST[phase]


def test_more_work_in_the_way_of_a_fork_is_counted(tmp_path: Path) -> None:
    """The planted twin: with the making of the head and its checks it is too much."""
    assert of_a_record(tmp_path, "main") > max(HISTORY_MOST.values())


def test_a_frame_takes_no_more_instructions_than_before(tmp_path: Path) -> None:
    counted = of_a_frame(tmp_path, "there_and_back")
    print(f"{counted:.0f} instructions a frame")
    assert 50_000 < counted <= MOST_OF_A_FRAME


def test_more_work_in_the_way_of_a_frame_is_counted(tmp_path: Path) -> None:
    """The planted twin: with the start of both ends and the making of the moves it is too much."""
    assert of_a_frame(tmp_path, "frames_in_turn") > MOST_OF_A_FRAME


def test_a_handshake_takes_no_more_instructions_than_before(tmp_path: Path) -> None:
    counted = of_a_handshake(tmp_path, "shake_hands")
    print(f"{counted:.0f} instructions a handshake")
    assert 1_000_000 < counted <= MOST_OF_A_HANDSHAKE


def test_more_work_in_the_way_of_a_handshake_is_counted(tmp_path: Path) -> None:
    """The planted twin: with the reading of certificates before each it is too much."""
    assert of_a_handshake(tmp_path, "handshakes::main") > MOST_OF_A_HANDSHAKE
