"""Every example runs as it stands, and says what it should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAYS = {
    "close_a_bridge.py": "1 edge is closed",
    "fork_heat_map.py": "changes are direct",
    "same_records_same_state.py": "every bit is the same",
    "walk_to_treasure.py": "its chain is whole",
}


def test_all_examples_are_known_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_example_runs(name: str, tmp_path: Path) -> None:
    path = os.pathsep.join(each for each in sys.path if each)
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip().endswith(SAYS[name]), run.stdout
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind"


def test_the_heat_maps_of_a_fork_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="maps are drawn with matplotlib")
    file = tmp_path / "maps.png"
    subprocess.run(
        [sys.executable, str(EXAMPLES / "fork_heat_map.py"), str(file)],
        env={**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        timeout=120,
    )
    assert file.read_bytes()[:4] == b"\x89PNG"
