"""Markdown pages as tests see them: their blocks of code, and a runner that does what they say."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "bench/README.md")
PORT: Final = "8080"
"""The port that pages speak of; the runner takes a free one instead."""
BLOCK_S: Final = 120
_FENCE: Final = re.compile(r"^```(\w*)[ ]*(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block. ``marks`` are the words behind its language:

    ``run``: works as it stands (``status=N``: and ends so). ``serve``: the same, goes on in the
    background once it has printed where it keeps things. ``alongside``: goes on until after the
    next block. ``stop``: what the server says when it is ended by Ctrl-C. ``same``: exactly what
    the block before prints. ``file=NAME``: to be saved under this name.
    """

    page: str
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    def mark(self, name: str, default: str = "") -> str:
        """The value of a mark ``name=value``."""
        return dict(mark.split("=", 1) for mark in self.marks if "=" in mark).get(name, default)


def pages() -> list[str]:
    """All pages that a reader meets, by path below the root."""
    docs = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return [*(page for page in PAGES if (ROOT / page).is_file()), *docs]


def text_of(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = text_of(page)
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1], tuple(found[2].split()), found[3])


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def spans(page: str) -> list[str]:
    """The pieces of code in a page's running text."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def free_port() -> str:
    """A TCP port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@dataclass
class Runner:
    """Does what a page says, block by block, in a folder of its own."""

    folder: Path
    port: str = field(default_factory=free_port)
    server: subprocess.Popen[str] | None = None
    beside: list[subprocess.Popen[str]] = field(default_factory=list)
    said: str = ""

    def __enter__(self) -> Self:
        programs = self.folder / "bin"
        programs.mkdir()
        for name, words in (("python", ""), ("huntgraph", " -m huntgraph")):
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{words} "$@"\n')
            script.chmod(0o700)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self.environment["HUNTGRAPH_HOME"] = str(self.folder / "home")
        # Pages are read in a clone that was set up; a test may run in one that was not installed.
        self.environment["PYTHONPATH"] = str(ROOT / "src")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.beside, self.server):
            if process is not None:
                if process.poll() is None:
                    # A server that is asked to stop ends its actor, too.
                    process.terminate()
                process.communicate(timeout=BLOCK_S)

    def do(self, block: Block) -> None:
        """Do what one block says; raises AssertionError when it does not come true."""
        where = f"{block.page}:{block.line}"
        text = block.text.replace(PORT, self.port)
        if name := block.mark("file"):
            (self.folder / name).write_text(text)
        elif "run" in block.marks:
            self._run(where, self._words(block.language, text), int(block.mark("status", "0")))
        elif "serve" in block.marks:
            self.server = self._start(text)
            self._await(where, self.server, "folder ")
        elif "alongside" in block.marks:
            self.beside.append(self._start(text))
            self._await(where, self.beside[-1], "")
        elif "stop" in block.marks:
            self._stop(where, text)
        elif "same" in block.marks:
            assert self.said == text, f"{where}: it says\n{self.said}"

    def _words(self, language: str, text: str) -> list[str]:
        return ["sh", "-e", "-c", text] if language == "sh" else [sys.executable, "-c", text]

    def _run(self, where: str, words: list[str], status: int) -> None:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=BLOCK_S,
            check=False,
        )
        self.said = done.stdout + done.stderr
        assert done.returncode == status, f"{where} ended with {done.returncode}:\n{self.said}"
        while self.beside:
            process = self.beside.pop()
            said, complaint = process.communicate(timeout=BLOCK_S)
            assert process.returncode == 0, f"{where}: beside it {complaint}"
            assert said.strip(), f"{where}: nothing was said beside it"

    def _start(self, text: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", "-c", f"exec {text}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _await(self, where: str, process: subprocess.Popen[str], start: str) -> None:
        """Wait for a line with this start: what is waited for has then happened."""
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(start):
                return
        _, complaint = process.communicate(timeout=BLOCK_S)
        raise AssertionError(f"{where} ended at its start:\n{complaint}")

    def _stop(self, where: str, text: str) -> None:
        assert self.server is not None, f"{where}: nothing is served"
        self.server.send_signal(signal.SIGINT)
        _, said = self.server.communicate(timeout=BLOCK_S)
        assert self.server.returncode == 130, f"{where}:\n{said}"
        assert said.endswith(text), f"{where}: it says\n{said}"
        self.server = None
