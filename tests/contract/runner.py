"""`Runner`: the command line, in a folder and a home of its own."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from huntgraph.cli.run import run as run_line

__all__ = ["Runner", "serve"]


class Runner:
    """Runs the command line as a process, in a folder and a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "HUNTGRAPH_HOME": str(folder / "home")}

    def __call__(self, words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "huntgraph", *shlex.split(words)],
            cwd=self.folder,
            env={**self.environment, **changes},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def here(self, words: str) -> subprocess.CompletedProcess[str]:
        """Run a line in this process, as a follower does: what it says and how it ends.

        For lines that are refused; starting Python takes a hundred times as long as that.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as changed,
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            changed.setenv("HUNTGRAPH_HOME", self.environment["HUNTGRAPH_HOME"])
            status = run_line(shlex.split(words))
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    def start(self, words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "huntgraph", *shlex.split(words)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def serve(run: Runner, words: str = "town.hgw") -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start `huntgraph serve` and give its process and facts once it is ready."""
    process = run.start(f"serve {words} --json")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return process, json.loads(line)
