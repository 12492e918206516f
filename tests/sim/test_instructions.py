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
import tempfile
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
MOST: Final = 700
TICK_MOST: Final = 53
"""Of a tick's share of the decay, for each of the 4,000 moves before it."""
RECORDS: Final = 66_800
"""Records that crates/core/examples/forks.rs forks."""
HISTORY_MOST: Final = {"rewind": 149, "replay": 540, "compare": 19}
"""For each of these records, by the phase of a fork."""
FRAMES: Final = 400
FRAME_EDGES: Final = 400_000
"""Of the world they walk in: few nodes are so near the target that they are searched from."""
MOST_OF_A_FRAME: Final = 188_000
"""Both ends', for 100 moves in a datagram and their answers in another; a third is the cipher's."""
HANDSHAKES: Final = 10
"""Full ones, and as many resumed."""
MOST_OF_A_HANDSHAKE: Final = 5_310_000
"""Both ends', the mean of full and resumed, without the instructions that valgrind lacks: ring's
exchange of keys, not the one of docs/decisions/0017."""
COUNTED: Final = re.compile(r"^ *([\d,]+) \([ \d.]+%\)  [^:\n]*:(\S+)", re.MULTILINE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("callgrind_annotate") is None, reason="valgrind counts instructions"
    ),
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


@cache
def inclusive(ran: Path, *arguments: object) -> dict[str, int]:
    """Count the instructions of each function of a program and of all it calls, in one run."""
    with tempfile.TemporaryDirectory(prefix="hg-") as folder:
        out = Path(folder, "callgrind")
        words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", ran, *arguments]
        subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=300)
        read = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(out)]
        told = subprocess.run(read, check=True, capture_output=True, text=True, timeout=300)
    return {name: int(count.replace(",", "")) for count, name in COUNTED.findall(told.stdout)}


def instructions(function: str, ran: Path, *arguments: object) -> int:
    """Count those of a program's function and all it calls."""
    counts = inclusive(ran, *arguments)
    (count,) = (counts[name] for name in counts if f"::{name}".endswith(f"::{function}"))
    return count


def of_a_move(function: str) -> float:
    """Count those of crates/core/examples/moves.rs, for each move."""
    moves = program("huntgraph-core", "moves")
    return instructions(f"moves::{function}", moves, MOVES, SIDE) / MOVES


def of_a_record(phase: str) -> float:
    """Count those of crates/core/examples/forks.rs, for each record that is forked, once."""
    return instructions(f"forks::{phase}", program("huntgraph-core", "forks"), 1) / RECORDS


def of_a_frame(function: str, world: Path) -> float:
    """Count those of crates/actor/examples/frames.rs, for each frame."""
    frames = program("huntgraph-actor", "frames")
    return instructions(f"pair::{function}", frames, world, FRAMES) / FRAMES


def of_a_handshake(function: str) -> float:
    """Count those of crates/actor/examples/handshakes.rs, for each handshake."""
    handshakes = program("huntgraph-actor", "handshakes")
    # One of each kind goes before those that are timed.
    made = 2 * (HANDSHAKES + 1)
    return instructions(function, handshakes, HANDSHAKES) / made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("instructions") / "world.hgw"
    generate(FRAME_EDGES, seed=11).save(file)
    return file


def test_a_move_takes_no_more_instructions_than_before() -> None:
    counted = of_a_move("apply_all")
    print(f"{counted:.0f} instructions a move")
    assert 100 < counted <= MOST


def test_a_tick_takes_no_more_instructions_than_before() -> None:
    counted = of_a_move("tick")
    print(f"{counted:.0f} instructions of ticks a move")
    assert 10 < counted <= TICK_MOST


def test_more_work_in_the_way_of_a_move_is_counted() -> None:
    """The planted twin: with the making of the moves and the ticks between it is too much."""
    assert of_a_move("main") > max(MOST, TICK_MOST)


@pytest.mark.parametrize("phase", HISTORY_MOST)
def test_a_fork_takes_no_more_instructions_than_before(phase: str) -> None:
    counted = of_a_record(phase)
    print(f"{phase}: {counted:.0f} instructions a record")
    assert 10 < counted <= HISTORY_MOST[phase]


def test_more_work_in_the_way_of_a_fork_is_counted() -> None:
    """The planted twin: with the making of the head and its checks it is too much."""
    assert of_a_record("main") > max(HISTORY_MOST.values())


def test_a_frame_takes_no_more_instructions_than_before(world: Path) -> None:
    counted = of_a_frame("there_and_back", world)
    print(f"{counted:.0f} instructions a frame")
    assert 50_000 < counted <= MOST_OF_A_FRAME


def test_more_work_in_the_way_of_a_frame_is_counted(world: Path) -> None:
    """The planted twin: with the start of both ends and the making of the moves it is too much."""
    assert of_a_frame("frames_in_turn", world) > MOST_OF_A_FRAME


def test_a_handshake_takes_no_more_instructions_than_before() -> None:
    counted = of_a_handshake("Ends::shake_hands")
    print(f"{counted:.0f} instructions a handshake")
    assert 1_000_000 < counted <= MOST_OF_A_HANDSHAKE


def test_more_work_in_the_way_of_a_handshake_is_counted() -> None:
    """The planted twin: with the reading of certificates before each it is too much."""
    assert of_a_handshake("handshakes::main") > MOST_OF_A_HANDSHAKE
