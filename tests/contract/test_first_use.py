"""What somebody stumbles over who uses the command line for the first time, by hand and by pipe."""

from __future__ import annotations

import errno
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from huntgraph.cli.exits import Exit
from huntgraph.cli.failures import of_system
from huntgraph.cli.reference import help_text
from huntgraph.cli.verbs import SECTIONS, VERBS
from huntgraph.versions import __version__
from huntgraph.world import World, generate
from tests.contract.runner import Runner, serve

ONE_BOT = "bots --players 1 --first-player 66 --start 0 --seconds 2"
HUNT = "hunt: x\nstages: [{treasure: chest, at: 0, text: A chest}]\nduration: 1h\n"


@pytest.fixture(scope="module")
def town() -> World:
    return generate(20_000, 1)


@pytest.fixture
def run(short_path: Path, town: World) -> Runner:
    town.save(short_path / "town.hgw")
    (short_path / "parts").mkdir()
    return Runner(short_path)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("world make", Exit.USAGE, "FILE is missing"),
        ("world make x.hgw --edges", Exit.USAGE, "--edges needs a value"),
        ("undo 7df6", Exit.USAGE, "--reason is missing"),
        ("world split town.hgw --out x --parts 65", Exit.USAGE, "<= 64"),
        ("world import town.hgw x.hgw", Exit.USAGE, "--format"),
        ("serve --http-port 99999", Exit.USAGE, "--http-port"),
        ("demo --edges 20k --players 1 --seconds 1 --http-port 99999", Exit.USAGE, "--http-port"),
        ("serve town.hgw --listen here", Exit.USAGE, "IP:PORT"),
        ("serve town.hgw --listen 127.0.0.1:70000", Exit.USAGE, "IP:PORT"),
        ("serve town.hgw --players 0", Exit.USAGE, "--players"),
        ("serve town.hgw --fields 65", Exit.USAGE, "--fields"),
        ("serve town.hgw --guidance-mib -1", Exit.USAGE, "--guidance-mib"),
        ("serve town.hgw --snapshot-every-s -1", Exit.USAGE, "--snapshot-every-s"),
        ("serve town.hgw --edges 5k", Exit.USAGE, "generated world"),
        ("serve --parts parts --partitions 3", Exit.USAGE, "generated world"),
        ("serve parts", Exit.USAGE, "--parts parts"),
        ("serve none.hgw", Exit.FAILED, "where: none.hgw"),
        ("serve town.hgw --dir town.hgw", Exit.FAILED, "HG1030"),
        ("serve town.hgw --dir /proc/none", Exit.FAILED, "where: /proc/none"),
        ("audit --dir none", Exit.USAGE, "no such folder"),
        ("follow --dir none", Exit.USAGE, "no such folder"),
        ("verify none", Exit.USAGE, "no such folder"),
        ("verify --dir none", Exit.USAGE, "no such folder"),
        ("top none --once", Exit.UNREACHABLE, "huntgraph serve"),
        ("fork create x", Exit.USAGE, "--before"),
        ("bots --start -1", Exit.USAGE, "--start"),
        ("bots --teams 65", Exit.USAGE, "--teams"),
        ("bots --url huntgraph://127.0.0.1:1 --start 0 --seconds 1 --certificate none.pem"
         " --key none.key --authority none.pem", Exit.FAILED, "PEM file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_done(
    run: Runner, words: str, status: Exit, said: str
) -> None:
    done = run.here(words)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert said in done.stderr
    assert "fix: " in done.stderr
    assert "HG1999" not in done.stderr
    assert not (run.folder / "home" / "serve" / "actor").exists()


def test_a_port_in_use_is_said_before_an_actor_is_started(run: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(f"serve town.hgw --http-port {port}")
    assert (done.returncode, done.stdout) == (Exit.FAILED, ""), done.stderr
    assert "HG1480" in done.stderr
    assert f"where: 127.0.0.1:{port}" in done.stderr
    assert "--http-port" in done.stderr
    assert not (run.folder / "home" / "serve" / "actor").exists()


@pytest.mark.parametrize(
    ("number", "fix"),
    [(errno.ENOSPC, "make room"), (errno.EACCES, "as a user who may"), (errno.ENOENT, "path")],
)
def test_what_the_system_refuses_comes_with_a_place_and_a_way_on(number: int, fix: str) -> None:
    error = of_system(OSError(number, "no", "/a/file"))
    assert (error.code, error.where) == ("HG1030", "/a/file")
    assert fix in error.fix


def test_the_first_page_sets_out_every_verb_once() -> None:
    first = {path.partition(" ")[0] for path in VERBS}
    shown = [name for names in SECTIONS.values() for name in names]
    assert sorted(shown) == sorted(first)
    page = help_text()
    assert [page.count(f"\n  {name}: ") for name in shown] == [1] * len(shown)
    assert "\nCommands:" not in page


def test_the_version_is_an_option_too(run: Runner) -> None:
    assert run("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("words", ["world info town.hgw", "--help", "hunt schema"])
def test_whoever_reads_may_stop_reading(run: Runner, words: str) -> None:
    process = run.start(words)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == ("", Exit.OK)
    process.stderr.close()


@pytest.mark.parametrize("words", ["world info town.hgw", "--help"])
def test_no_terminal_no_colours(run: Runner, words: str) -> None:
    for changes in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in run(words, **changes).stdout


@pytest.fixture
def served(run: Runner) -> Iterator[Runner]:
    run.environment["HUNTGRAPH_HOME"] = str(run.folder / "a h\u00fcnt")
    process, _ = serve(run)
    with process:
        (run.folder / "night.yaml").write_text(HUNT)
        assert run("hunt publish night.yaml").returncode == Exit.OK
        yield run
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_second_world_in_a_folder_is_told_as_such(run: Runner) -> None:
    stopped(run)
    generate(20_000, 9).save(run.folder / "other.hgw")
    done = run("serve other.hgw")
    assert done.returncode == Exit.FAILED
    assert "serve the world that this directory was made for" in done.stderr


def stopped(run: Runner) -> None:
    """Serve for a moment: a log stays."""
    process, _ = serve(run)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_orders_that_come_at_the_wrong_time_say_why(served: Runner) -> None:
    resumed = served("hunt resume")
    assert resumed.returncode == Exit.FAILED
    assert "only a paused hunt can be resumed" in resumed.stderr
    assert "huntgraph hunt show 0" in resumed.stderr
    assert "record 0" not in resumed.stderr
    closed = served("edge close 0 5000")
    assert "huntgraph edge add 0 5000 --cost" in closed.stderr
    assert " None " not in served("hunt show 0").stdout


def test_bots_that_cannot_play_are_no_success(served: Runner) -> None:
    for words, said in (("--start 999999", "no such node"), ("--slot 3", "hunt")):
        done = served(f"bots --players 3 --seconds 1 --json {words}")
        assert done.returncode == Exit.FAILED, words
        assert json.loads(done.stdout)["moves"] > 0, words
        assert said in done.stderr
        assert "fix: " in done.stderr


def test_a_cheater_is_taken_out_and_back_once(served: Runner) -> None:
    assert served(ONE_BOT).returncode == Exit.OK
    out = "rollback --player 66 --since 10m --json"
    done = served(f"{out} --yes --reason flew")
    assert done.returncode == Exit.OK, done.stderr
    diff, commit = (json.loads(line) for line in done.stdout.splitlines())
    assert (diff["schema"], commit["schema"]) == ("huntgraph.diff/1", "huntgraph.commit/1")
    back = f"undo {commit['id']} --reason lag --yes --json"
    first = json.loads(served(back).stdout)
    again = served(back)
    assert (again.returncode, again.stdout) == (Exit.FAILED, "")
    assert f"undone already, by {first['id']}" in again.stderr
    anew = served(f"undo {first['id']} --reason no --yes --json")
    assert anew.returncode == Exit.OK, anew.stderr
    assert served(back).returncode == Exit.OK


def test_a_rollback_over_an_undo_says_how_to_leave_it_out(served: Runner) -> None:
    assert served(ONE_BOT).returncode == Exit.OK
    out = "rollback --player 66 --since 10m"
    committed = served(f"{out} --yes --reason flew --json").stdout.splitlines()[1]
    commit = json.loads(committed)["id"]
    assert served(f"undo {commit} --reason lag --yes").returncode == Exit.OK
    told = served(out)
    assert f"--without {commit} leaves out both" in told.stderr
    assert "nothing is different" not in served(f"{out} --without {commit}").stdout


def test_a_parquet_file_that_cannot_be_written_is_named(run: Runner) -> None:
    pytest.importorskip("duckdb")
    stopped(run)
    (run.folder / "x.parquet").mkdir()
    done = run("lookup --parquet x.parquet")
    assert (done.returncode, "HG1031" in done.stderr) == (Exit.FAILED, True), done.stderr
    assert "where: x.parquet" in done.stderr


def test_half_a_folder_is_no_sound_one(run: Runner) -> None:
    stopped(run)
    folder = run.folder / "home" / "serve"
    (folder / "actor" / "snapshots" / f"snapshot-{1 << 40:020}.snap").write_bytes(b"")
    done = run("verify --json")
    assert done.returncode == Exit.DIFFERENCE, done.stderr
    assert "records are lost" in json.loads(done.stdout)["partitions"]["0"]["problems"][0]["what"]
    (folder / "audit.jsonl").write_text("half a line\n")
    broken = run("audit")
    assert (broken.returncode, broken.stdout) == (Exit.DIFFERENCE, "")
    assert broken.stderr.startswith("error HG1621")
    (folder / "serve.json").write_text('{"url": "x"}')
    for words in ("bots", "hunt ls", "edge close 0 1"):
        assert run.here(words).returncode == Exit.UNREACHABLE


def test_an_edit_that_cannot_be_is_refused_before_it_is_kept(run: Runner) -> None:
    stopped(run)
    assert run("fork create f1 --at head").returncode == Exit.OK
    for words in ("replace --kind go", "retime --after 0/1", "insert --after 0/1"):
        done = run.here(f"fork edit f1 {words}")
        assert (done.returncode, done.stdout) == (Exit.USAGE, ""), words
        assert "needs" in done.stderr
    for words in ("drop 0/1 --arg 3", "insert 0/1 --after 0/1 --kind go", "retime 0/1 --to 3"):
        done = run.here(f"fork edit f1 {words}")
        assert (done.returncode, "takes no" in done.stderr) == (Exit.USAGE, True), done.stderr
    for words in ("drop 0/1", "replace 0/1 --kind go", "retime 0/1 --after 0/2"):
        done = run.here(f"fork edit f1 {words}")
        assert (done.returncode, "HG1731" in done.stderr) == (Exit.FAILED, True), done.stderr
    assert json.loads(run("fork show f1 --json").stdout)["edits"] == []
