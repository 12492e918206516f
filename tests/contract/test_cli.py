"""The command line's contract: help, examples, streams, JSON, exit statuses, start-up time."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from huntgraph.cli.exits import Exit
from huntgraph.cli.reference import help_text, reference
from huntgraph.cli.verbs import GROUPS, VERBS
from huntgraph.versions import __version__, versions
from huntgraph.world import World
from tests.contract.runner import Runner, serve

ROOT = Path(__file__).resolve().parents[2]
HUNT = ROOT / "examples" / "hunts" / "first.yaml"


@pytest.fixture
def run(short_path: Path) -> Runner:
    return Runner(short_path)


@pytest.mark.parametrize("path", ["", *GROUPS, *VERBS])
def test_help_opens_with_examples(path: str) -> None:
    page = help_text(path).splitlines()
    assert page[0] == "Examples:"
    assert page[1].startswith(f"  huntgraph {path}".rstrip())
    assert any(line.startswith("Usage: huntgraph") for line in page)


def test_the_reference_page_is_that_of_the_help_pages() -> None:
    page = ROOT / "docs" / "reference" / "cli.md"
    assert page.read_text() == reference(), (
        "python -m huntgraph.cli.reference > docs/reference/cli.md"
    )


def test_every_verb_that_prints_data_has_json() -> None:
    for path in VERBS:
        if path != "hunt schema":  # its data is JSON already
            assert "--json" in help_text(path), path


def test_examples_of_verbs_that_need_nothing_else_run(run: Runner) -> None:
    for path in ("version", "world make", "world split", "world info", "hunt schema", "hunt check"):
        if path == "hunt check":
            (run.folder / "night.yaml").write_bytes(HUNT.read_bytes())
        for line in VERBS[path].examples:
            if "--edges 4M" in line or "--world" in line:
                line = line.replace("4M", "50k").replace(" --world town.hgw", "")
            done = run(line.removeprefix("huntgraph "))
            assert done.returncode == Exit.OK, (line, done.stderr)
            assert "Traceback" not in done.stderr


def test_version_in_all_its_places(run: Runner) -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
    body = json.loads(run("version --json").stdout)
    assert body == {"schema": "huntgraph.version/1", **versions()}


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("wrold", Exit.USAGE, 'did you mean "world"'),
        ("world mkae x", Exit.USAGE, 'did you mean "make"'),
        ("world make x --egdes 5", Exit.USAGE, "did you mean --edges"),
        ("world make", Exit.USAGE, "fix:"),
        ("world make x.hgw --edges many", Exit.USAGE, "no count"),
        ("world make x.hgw --edges 3", Exit.USAGE, "choose"),
        ("world info none.hgw", Exit.FAILED, "where: none.hgw"),
        ("world import none.gr x.hgw", Exit.FAILED, "none.gr"),
        ("world import none.foo x.hgw", Exit.USAGE, "format"),
        ("world import a.csv x.hgw --option five", Exit.USAGE, "NAME=VALUE"),
        ("hunt check none.yaml", Exit.FAILED, "none.yaml"),
        ("hunt pause", Exit.UNREACHABLE, "huntgraph serve"),
        ("hunt pause --slot 8", Exit.USAGE, "slot"),
        ("hunt extend soon", Exit.USAGE, "duration"),
        ("edge close 0 1", Exit.UNREACHABLE, "huntgraph serve"),
        ("edge close zero 1", Exit.USAGE, "FROM"),
        ("edge add 0 1", Exit.USAGE, "--cost"),
        ("edge price 0 1 --cost 60_001", Exit.USAGE, "--cost"),
        ("bots", Exit.UNREACHABLE, "huntgraph serve"),
        ("bots --url huntgraph://127.0.0.1:1", Exit.USAGE, "--certificate"),
        ("verify", Exit.USAGE, "no such folder"),
        ("verify .", Exit.USAGE, "no log"),
        ("bench aply", Exit.USAGE, 'did you mean "apply"'),
        ("demo --seconds -1", Exit.USAGE, "seconds"),
    ],
)
def test_errors_say_what_where_and_what_to_do(
    run: Runner, words: str, status: Exit, said: str
) -> None:
    done = run.here(words)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error HG")
    assert "fix: " in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_line_says_the_same_in_a_process_of_its_own(run: Runner) -> None:
    for words in ("wrold", "world info none.hgw", "hunt pause"):
        alone, here = run(words), run.here(words)
        assert (alone.returncode, alone.stdout, alone.stderr) == (
            here.returncode,
            here.stdout,
            here.stderr,
        )


def test_bench_lists_what_can_be_measured(run: Runner) -> None:
    body = json.loads(run("bench --json").stdout)
    assert body["schema"] == "huntgraph.bench-names/1"
    assert run("bench").stdout.split() == body["names"]
    assert {"apply", "roundtrip", "frame", "quic", "handshake", "durable", "memory"} <= set(
        body["names"]
    )


def test_debug_shows_the_traceback(run: Runner) -> None:
    for done in (
        run("world info none.hgw --debug"),
        run("world info none.hgw", HUNTGRAPH_DEBUG="1"),
    ):
        assert done.returncode == Exit.FAILED
        assert "Traceback" in done.stderr


def test_world_verbs_from_seed_to_facts(run: Runner) -> None:
    made = run("world make town.hgw --edges 20k --seed 5 --json")
    body = json.loads(made.stdout)
    assert body["schema"] == "huntgraph.world/1"
    assert made.stderr == ""
    again = json.loads(run("world info town.hgw --structure --json").stdout)
    assert again == body
    refused = run("world make town.hgw --edges 20k")
    assert (refused.returncode, "--force" in refused.stderr) == (Exit.USAGE, True)
    assert run("world make town.hgw --edges 20k --force").returncode == Exit.OK


def test_importing_what_is_wrong_leaves_nothing_behind(run: Runner) -> None:
    (run.folder / "edges.csv").write_text("from,to,cost\n0,1,5\n1,zwei,5\n")
    done = run("world import edges.csv x.hgw")
    assert done.returncode == Exit.FAILED
    assert "edges.csv:3" in done.stderr
    assert sorted(path.name for path in run.folder.iterdir()) == ["edges.csv"]


def test_hunt_check_tells_findings_by_line(run: Runner) -> None:
    (run.folder / "bad.yaml").write_text(
        "hunt: x\nstages:\n  - treasure: a\n    at: 0\n    needs: b\n"
    )
    done = run("hunt check bad.yaml --json")
    body = json.loads(done.stdout)
    assert done.returncode == Exit.FAILED
    assert body["errors"] >= 1
    assert all({"line", "code", "what", "fix"} <= finding.keys() for finding in body["findings"])


def test_a_closed_pipe_is_no_error(run: Runner) -> None:
    process = run.start("hunt schema")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(60) == Exit.OK
    process.stderr.close()


def test_doctor_finds_this_machine_fit(run: Runner) -> None:
    done = run("doctor --json")
    body = json.loads(done.stdout)
    assert done.returncode == (Exit.PROBLEM if body["problems"] else Exit.OK)
    assert body["problems"] == 0, body
    broken = run("doctor --json", HUNTGRAPH_ACTOR=str(run.folder / "nothing"))
    assert broken.returncode == Exit.PROBLEM
    found = {each["name"]: each for each in json.loads(broken.stdout)["findings"]}
    assert found["actor"]["state"] == "problem"
    assert found["actor"]["fix"]


def test_start_up_is_quick(run: Runner) -> None:
    """In CPU time, the best of five: other work on the machine must not fail this."""
    run("--help")

    def best_s(*command: str) -> float:
        times = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(times)

    assert best_s("-m", "huntgraph", "--help") < 0.4
    assert best_s("-c", "import huntgraph") - best_s("-c", "pass") < 0.1


@pytest.fixture
def served(run: Runner) -> Runner:
    assert run("world make town.hgw --edges 20k").returncode == Exit.OK
    return run


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, Exit.OK), (signal.SIGINT, Exit.INTERRUPTED)]
)
def test_serve_steer_and_verify(served: Runner, number: signal.Signals, status: Exit) -> None:
    process, facts = serve(served)
    with process:
        assert facts["url"].startswith("huntgraph://127.0.0.1:")
        hunt = "hunt: x\nstages: [{treasure: chest, at: 0, text: A chest}]\nduration: 1h\n"
        (served.folder / "night.yaml").write_text(hunt)
        for words in ("publish night.yaml", "pause", "resume", "extend 10m", "close"):
            done = served(f"hunt {words} --json")
            assert done.returncode == Exit.OK, (words, done.stderr)
            (place,) = json.loads(done.stdout)["partitions"]
            until_tick(served, place["tick"] + 2)
        refused = served("hunt pause")
        assert (refused.returncode, "fix:" in refused.stderr) == (Exit.FAILED, True)
        taken = served("serve town.hgw")
        assert (taken.returncode, "another huntgraph" in taken.stderr) == (Exit.FAILED, True)
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == status
    assert served("hunt pause").returncode == Exit.UNREACHABLE
    verified = served("verify --json")
    assert verified.returncode == Exit.OK, verified.stderr
    assert json.loads(verified.stdout)["problems"] == []


def test_edges_change_while_serving(served: Runner) -> None:
    process, _ = serve(served)
    with process:
        ends = free_pair(served.folder / "town.hgw")
        for words, done in (
            (f"add {ends} --cost 60000", "added"),
            (f"price {ends} --cost 7", "priced"),
            (f"close {ends}", "closed"),
            (f"open {ends}", "opened"),
            (f"remove {ends}", "removed"),
            (f"add {ends} --cost 5", "added"),
        ):
            told = served(f"edge {words} --json")
            assert told.returncode == Exit.OK, (words, told.stderr)
            body = json.loads(told.stdout)
            assert (body["schema"], body["done"]) == ("huntgraph.edge-order/1", done)
            assert body["position"] > 0
        refused = served(f"edge add {ends} --cost 5")
        assert (refused.returncode, refused.stdout) == (Exit.FAILED, "")
        assert "there is such an edge already" in refused.stderr
        said = served(f"edge remove {ends}").stdout
        assert said.startswith(f"edge {ends.replace(' ', ' -> ')} removed at position ")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    verified = served("verify --json")
    assert verified.returncode == Exit.OK, verified.stderr


def free_pair(file: Path) -> str:
    """Two nodes of a world between which there is no slot."""
    world = World.open(file)
    heads, _ = world.row(0)
    return f"0 {next(node for node in range(1, world.nodes) if node not in heads)}"


def until_tick(run: Runner, tick: int) -> None:
    """Wait for a tick by the actor's counters: what was ordered has taken effect then."""
    from huntgraph.bus import Counters

    counters = Counters(run.folder / "home" / "serve" / "actor" / "counters")
    deadline_s = time.monotonic() + 30
    while counters.value("tick") < tick:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_changed_log_is_a_difference(served: Runner) -> None:
    process, _ = serve(served)
    with process:
        until_tick(served, 30)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    log = served.folder / "home" / "serve" / "actor" / "log"
    segment = min(path for path in log.iterdir() if path.stat().st_size > 1 << 20)
    data = bytearray(segment.read_bytes())
    data[4096 + 300] ^= 1
    segment.write_bytes(data)
    done = served("verify --json")
    assert done.returncode in (Exit.FAILED, Exit.DIFFERENCE), done.stdout
