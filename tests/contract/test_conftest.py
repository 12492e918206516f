"""What tests/conftest.py promises to every test, shown on runs of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environment

LEAK = """
import subprocess
def test_leak():
    child = subprocess.Popen(["./hunt-graph", "600"])
    print("child", child.pid)
"""


SPREAD = """
import pytest, subprocess, sys
@pytest.mark.seeds()
def test_drawn(seed):
    print("got", seed, file=sys.stderr)
def test_leak():
    subprocess.Popen(["./hunt-graph", "600"])
"""


def run(folder: Path, text: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one test file with this project's conftest in a folder of its own."""
    shutil.copy(environment.ROOT / "tests" / "conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = seeds\n")
    (folder / "test_it.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_actor_left_behind_fails_the_run_and_is_ended(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    shutil.copy(sleep, tmp_path / "hunt-graph")
    done = run(tmp_path, LEAK)
    assert done.returncode == 1, done.stdout
    left = re.search(r"child (\d+)", done.stdout)
    assert left is not None
    assert f"hunt-graph {left[1]} was still running at the end" in done.stdout
    assert not Path("/proc", left[1], "exe").exists()


def test_workers_share_the_seed_and_what_they_leave_behind_is_ended(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    shutil.copy(sleep, tmp_path / "hunt-graph")
    # Which tests there are follows from the seed: workers that disagreed would run none.
    done = run(tmp_path, SPREAD, "-n", "2", HUNTGRAPH_SEED="")
    assert (done.returncode, "3 passed" in done.stdout) == (1, True), done.stdout
    left = re.findall(r"hunt-graph (\d+) was still running at the end", done.stdout)
    assert len(left) == 1, done.stdout
    assert not Path("/proc", left[0], "exe").exists()


def test_an_actor_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    shutil.copy(sleep, tmp_path / "hunt-graph")
    other = subprocess.Popen([str(tmp_path / "hunt-graph"), "600"])
    try:
        done = run(tmp_path, "def test_nothing(): pass\n")
        assert done.returncode == 0, done.stdout
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_seed_is_printed_and_repeats_a_run(tmp_path: Path) -> None:
    text = "def test_seed(seed, rng):\n    assert seed < 0, rng.random()\n"
    first = run(tmp_path, text)
    assert first.returncode == 1
    said = re.findall(r"HUNTGRAPH_SEED=(\d+)", first.stdout)
    assert len(said) == 2, first.stdout
    again = run(tmp_path, text, HUNTGRAPH_SEED=said[0])
    drawn = [re.findall(r"AssertionError: (0\.\d+)", out.stdout)[0] for out in (first, again)]
    assert drawn[0] == drawn[1]


def test_a_test_marked_with_seeds_gets_some_of_the_run_too(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.mark.seeds(3, 5)\ndef test_it(seed):\n    print('got', seed)\n"
    told = [
        re.findall(r"got (\d+)", run(tmp_path, text, HUNTGRAPH_SEED=chosen).stdout)
        for chosen in ("1", "1", "2")
    ]
    assert [seeds[:2] for seeds in told] == [["3", "5"]] * 3
    assert told[0] == told[1]
    assert len(set(told[0][2:] + told[2][2:])) == 4


def test_the_folder_for_sockets_is_short(short_path: Path) -> None:
    assert short_path.is_dir()
    if len(str(short_path.parent)) > 80:
        pytest.skip("TMPDIR itself is too long for a Unix socket")
    assert len(str(short_path / "control.sock")) < 108
