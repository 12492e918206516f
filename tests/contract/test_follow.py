"""``huntgraph follow``: where the history is warm, verbs that replay forks say the same."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from huntgraph.cli.resident import SOCKET, receive
from huntgraph.cli.run import run as run_line
from tests.contract.runner import Runner

HUNT = """
hunt: warm
stages:
  - clue: a
    at: 400
  - treasure: b
    at: 5000
    points: 10
"""


@pytest.fixture
def run(short_path: Path) -> Runner:
    return Runner(short_path)


@contextmanager
def running(run: Runner, words: str, ends: int) -> Iterator[subprocess.Popen[str]]:
    """A verb that runs until SIGTERM, from its first line on; it must end with that status."""
    process = run.start(words)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        if not process.stdout.readline():
            pytest.fail(process.stderr.read())
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)
        assert process.returncode == ends, rest


def done(run: Runner, words: str) -> str:
    ended = run(words)
    assert ended.returncode == 0, (words, ended.stderr)
    return ended.stdout


@pytest.mark.fault
def test_a_follower_gives_the_answers_that_cold_verbs_give(run: Runner) -> None:
    (run.folder / "hunt.yaml").write_text(HUNT)
    with running(run, "serve --edges 20k --dir s --json", 0):
        done(run, "hunt publish hunt.yaml --dir s")
        done(run, "bots --dir s --players 40 --seconds 3 --rate 20")
        with running(run, "follow --dir s --json", 0):
            done(run, 'rollback --player 7 --since 1m --yes --reason "flew" --dir s --json')
            assert '"why": "flew"' in done(run, "audit --dir s --json")
            second = run("follow --dir s")
            assert (second.returncode, "HG1771" in second.stderr) == (1, True)
        done(run, "bots --dir s --players 40 --seconds 3 --rate 20")
    done(run, "fork create fix --at head~1s --dir s")
    done(run, "fork edit fix drop --player 9 --dir s")
    verbs = (
        "fork diff fix --dir s --json",
        "fork preview fix --dir=s --json",
        "fork diff none --dir s",
        "fork replay fix --claims never --dir s",
    )
    cold = [run(words) for words in verbs]
    assert [each.returncode for each in cold] == [0, 0, 1, 2]
    with running(run, "follow --dir s --json", 0):
        warm = [run(words) for words in verbs]
    for one, other in zip(cold, warm, strict=True):
        assert (one.stdout, one.stderr, one.returncode) == (
            other.stdout,
            other.stderr,
            other.returncode,
        )
    assert not (run.folder / "s" / SOCKET).exists()


@contextmanager
def answering(folder: Path, answer: bytes) -> Iterator[list[dict[str, object]]]:
    """A follower that gives one answer; what it was asked."""
    asked: list[dict[str, object]] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen()

        def serve() -> None:
            stream, _ = listener.accept()
            with stream:
                asked.append(json.loads(receive(stream)))
                stream.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join(10)


def test_a_verb_is_run_where_its_folder_is_followed(
    short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"out": "told\n", "err": "said\n", "status": 5}
    words = ["fork", "diff", "x", "--dir", str(short_path)]
    with answering(short_path, json.dumps(answer).encode()) as asked:
        assert run_line(words) == 5
    assert capsys.readouterr() == ("told\n", "said\n")
    assert asked == [{"words": words, "folder": str(Path.cwd())}]


def test_a_follower_that_dies_is_no_answer(
    short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(short_path, b""):
        assert run_line(["rollback", f"--dir={short_path}", "--player", "7"]) == 1
    assert "HG1770" in capsys.readouterr().err


def test_a_socket_that_nobody_listens_to_is_passed_over(
    short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short_path / SOCKET))
    assert run_line(["fork", "diff", "x", "--dir", str(short_path)]) == 2
    assert "no log" in capsys.readouterr().err
