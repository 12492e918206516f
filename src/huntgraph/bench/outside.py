"""Rivals are measured in processes of their own, with a limit on their time.

A Python library has a module in `huntgraph.bench.rivals` with a function ``measure(folder)``; what
is written in Rust is in the program ``rivals``, which ``tools/setup.sh --bench`` builds.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph.bench.distribution import Samples

__all__ = ["AbsentError", "ask", "ask_program", "find_program"]

ROOT: Final = Path(__file__).parents[3]
LIMIT_S: Final = 600.0
MISSING: Final = 3
"""Exit status of a module whose library is not installed."""


class AbsentError(Exception):
    """There is nothing of a rival; the text says why."""


def ask(module: str, folder: Path, *, limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Let a module of `huntgraph.bench.rivals` measure its library; gives what it found.

    Raises AbsentError when the library is not installed, fails, or takes longer than ``limit_s``.
    """
    return dict(json.loads(_run([sys.executable, "-m", __name__, module, str(folder)], limit_s)))


def ask_program(words: Sequence[str], folder: Path) -> tuple[dict[str, float], dict[str, Samples]]:
    """Let the program ``rivals`` measure; gives its numbers, and its samples in nanoseconds.

    Raises AbsentError when it was not built, fails, or takes too long.
    """
    program = find_program("rivals", ROOT / target() / "release")
    if program is None:
        raise AbsentError("not built: tools/setup.sh --bench")
    folder.mkdir(parents=True)
    lines = [line.split() for line in _run([str(program), *words], LIMIT_S).splitlines()]
    samples = {path.stem: np.fromfile(path, "<u8") for path in folder.glob("*.u64")}
    return {name: float(value) for name, value in lines}, samples


def target() -> str:
    """Give the folder that cargo builds into."""
    return os.environ.get("CARGO_TARGET_DIR", "target")


def find_program(name: str, *folders: Path) -> Path | None:
    """Find a program: in one of the folders, else on the path."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def _run(argv: list[str], limit_s: float) -> str:
    pipe = subprocess.PIPE
    rival = subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        found, errors = rival.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise AbsentError(f"not done in {limit_s:g} s") from None
    finally:
        # With all that it started: a session of its own is a process group of its own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(rival.pid, signal.SIGKILL)
        rival.wait()
    said = (errors.strip().splitlines() or [f"exit status {rival.returncode}"])[-1]
    if rival.returncode == MISSING:
        raise AbsentError(f"not installed: {said}")
    if rival.returncode:
        raise AbsentError(f"failed: {said}")
    return found


def main(module: str, folder: str) -> int:
    """Measure one library and print what was found as JSON."""
    try:
        rival = importlib.import_module(f"huntgraph.bench.rivals.{module}")
        print(json.dumps(rival.measure(Path(folder))))
    except ModuleNotFoundError as missing:
        print(missing.name, file=sys.stderr)
        return MISSING
    except Exception:  # noqa: BLE001 - whatever a library raises, its last line is told
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
