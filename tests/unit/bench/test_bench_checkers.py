"""What judges a measurement finds what is wrong: each checker meets planted bugs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huntgraph.bench.borders import measure, targets_near_borders
from huntgraph.bench.borders_oracle import judge_whole
from huntgraph.bench.crew import Crew, open_crew
from huntgraph.bench.ledger import Account, compare
from huntgraph.bench.oracle import judge
from huntgraph.bench.outside import AbsentError, ask, ask_program
from huntgraph.bench.rivals.graph import Task
from huntgraph.bench.routes import differences, task_of
from huntgraph.bench.soak import Memory
from huntgraph.bench.suite import QUICK
from huntgraph.engine import Records, move
from huntgraph.schema import Kind
from huntgraph.world import generate, split


def test_the_oracle_over_borders_finds_ways_that_are_too_short_or_too_long(
    short_path: Path,
) -> None:
    options = replace(QUICK, edges=9_000, players=200, partitions=3, seconds=1.0, rate=2_000)
    parts = split(generate(options.edges, 1), options.partitions)
    parts.save(short_path / "parts")
    targets = targets_near_borders(parts, options.targets)
    crews, risen, _, told, asked = asyncio.run(measure(options, short_path, targets))
    assert risen["rounds_done"] > 0
    verdict = judge_whole(list(crews), parts, told, asked, targets.goals)
    assert verdict.wrong == 0
    assert verdict.judged > 100
    for factor in (0.5, 3.0):
        planted = [rows.copy() for rows in told]
        for rows in planted:
            rows["distance"][::3] = rows["distance"][::3] * factor
        found = judge_whole(list(crews), parts, planted, asked, targets.goals)
        assert found.wrong > verdict.judged // 5


def log_of(*moves: tuple[int, int]) -> Records:
    """Moves (player, seq) as a log has them, with a tick between."""
    players, seqs = zip(*moves, strict=True)
    rows = move(Kind.GO, player=players, seq=seqs)
    return np.insert(rows, len(rows) // 2, move(Kind.TICK, arg=1))


GOOD = [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3)]


@pytest.mark.parametrize(
    ("moves", "found"),
    [
        (GOOD, Account(5, 0, 0, 0)),
        (GOOD[:-1], Account(4, 1, 0, 0)),
        (GOOD[1:], Account(4, 1, 0, 0)),
        ([*GOOD[:2], *GOOD[3:]], Account(4, 1, 0, 0)),
        ([*GOOD, (2, 1)], Account(6, 0, 1, 0)),
        ([*GOOD[:3], (1, 2), *GOOD[3:]], Account(6, 0, 1, 0)),
        ([*GOOD, (2, 3)], Account(6, 0, 0, 1)),
    ],
)
def test_ledger_finds_what_is_lost_twice_or_unsent(
    moves: list[tuple[int, int]], found: Account
) -> None:
    promised = np.array([3, 2], np.uint32)
    whole = log_of(*moves)
    assert compare(promised, [whole]) == found
    assert compare(promised, np.split(whole, range(1, len(whole)))) == found


def walked(folder: Path) -> tuple[Crew, Records]:
    """A crew that has walked a little, and its answers; nothing of it runs any more."""

    async def walk() -> Crew:
        async with open_crew(QUICK, folder, 0, 1) as crew:
            await crew.walk(4_000, asyncio.get_running_loop().time() + 0.5)
            await crew.link.drain()
        return crew

    crew = asyncio.run(walk())
    return crew, np.concatenate(crew.kept)


def test_oracle_finds_a_wrong_distance_and_a_wrong_step(short_path: Path) -> None:
    crew, answers = walked(short_path)
    directory, players = short_path / "actor-0", crew.wanderers.count
    verdict = judge(directory, crew.world, answers, players=players, epochs=1_000)
    assert verdict == (len(answers), 0)
    assert verdict.judged > 10
    for name in ("distance", "next"):
        planted = answers.copy()
        planted[name][::3] += 1
        found = judge(directory, crew.world, planted, players=players, epochs=1_000)
        assert found.wrong >= len(answers[::3]) // 2, name
    moved = answers.copy()
    moved["seq"] += 1
    assert judge(directory, crew.world, moved, players=players) == (0, 0), "not in the log"


def test_a_library_that_answers_wrong_is_told(tmp_path: Path) -> None:
    world = generate(20_000, 1)
    world.save(tmp_path / "world.hgw")
    task = task_of(world)
    task.save(tmp_path)
    assert np.array_equal(Task.load(tmp_path).prices, task.prices)
    assert ask("scipy_graph", tmp_path)["one_to_all_ms"] > 0
    with np.load(tmp_path / "answers.npz") as file:
        right = {name: file[name] for name in ("first", "pairs", "last", "moved")}
    assert differences(right, right) == ""
    wrong = {**right, "last": right["last"] + (np.arange(len(right["last"])) == 5)}
    assert differences(wrong, right) == f"1 of {len(right['last'])} last"
    assert (right["first"] != right["last"]).any(), "the changes changed no distance"


def test_what_is_absent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AbsentError, match=r"not installed: huntgraph\.bench\.rivals\.nothing"):
        ask("nothing", tmp_path)
    with pytest.raises(AbsentError, match=r"failed: FileNotFoundError.*task.npz"):
        ask("scipy_graph", tmp_path)
    with pytest.raises(AbsentError, match="not done in"):
        ask("scipy_graph", tmp_path, limit_s=0.001)
    monkeypatch.setenv("CARGO_TARGET_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AbsentError, match="not built"):
        ask_program(["bus"], tmp_path / "new")


def test_the_slope_of_memory_is_that_of_its_line() -> None:
    flat, leak = Memory(), Memory()
    for second in range(60):
        flat.seen.append((second, 32 << 20))
        leak.seen.append((second, (32 << 20) + second * 1024))
    assert flat.slope_kib_per_min() == pytest.approx(0.0, abs=1e-3)
    assert leak.slope_kib_per_min() == pytest.approx(60.0)
