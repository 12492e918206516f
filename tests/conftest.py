"""What every test shares: a printed seed, short private folders, no actor left behind."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

SESSION = "HUNTGRAPH_TEST_SESSION"
PROGRAM = "hunt-graph"
SEED = pytest.StashKey[int]()
LEFT = pytest.StashKey[list[int]]()
DRAWN = 2

# What a machine takes for a case, busy or standing still for a moment, proves nothing. With a seed
# given the cases follow from the test alone: a commit passes or fails for good.
settings.register_profile(
    "huntgraph",
    deadline=None,
    derandomize="HUNTGRAPH_SEED" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("huntgraph")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed, mark what this run starts, and keep the user's folders out of it."""
    config.stash[LEFT] = []
    # Every process started from here inherits this word; it tells ours from other runs'. Those of
    # a worker of pytest-xdist are the run's too, but not another worker's.
    if hasattr(config, "workerinput"):
        config.stash[SEED] = config.workerinput["seed"]
        os.environ[SESSION] += f".{config.workerinput['workerid']}."
    else:
        config.stash[SEED] = int(os.environ.get("HUNTGRAPH_SEED") or secrets.randbelow(1 << 32))
        os.environ[SESSION] = f"{os.getpid()}-{secrets.token_hex(8)}"
    home = Path(tempfile.mkdtemp(prefix="hg-home-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        os.environ[f"XDG_{kind}_HOME"] = str(home / kind.lower())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Give each worker the seed of the run: they must agree on which tests there are."""
    node.workerinput["seed"] = node.config.stash[SEED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Take over which actors a worker left behind; one that died told of none."""
    node.config.stash[LEFT] += getattr(node, "workeroutput", {}).get("left", [])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `seeds(...)` with these, and with some that the run's seed leads to.

    The drawn ones are the same for all tests, which share the histories that they make of them.
    """
    marker = metafunc.definition.get_closest_marker("seeds")
    if marker is None:
        return
    rng = random.Random(metafunc.config.stash[SEED])
    drawn = [rng.randrange(1 << 32) for _ in range(marker.kwargs.get("drawn", DRAWN))]
    names = [*map(str, marker.args), *(f"drawn{at}" for at in range(len(drawn)))]
    metafunc.parametrize("seed", [*marker.args, *drawn], ids=names)


def pytest_report_header(config: pytest.Config) -> str:
    """Print the seed before anything runs."""
    return f"seed: {config.stash[SEED]} (repeat with HUNTGRAPH_SEED={config.stash[SEED]})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print the seed beside a failure of a test that used it."""
    report = yield
    if report.failed and "seed" in getattr(item, "fixturenames", ()):
        report.sections.append(("seed", f"HUNTGRAPH_SEED={item.config.stash[SEED]}"))
    return report


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of this run: HUNTGRAPH_SEED, or a fresh one. Reported when the test fails."""
    return pytestconfig.stash[SEED]


@pytest.fixture
def rng(seed: int) -> random.Random:
    """A generator of the test's own, from the seed of the run."""
    return random.Random(seed)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A private folder whose path is short enough for a Unix socket (108 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="hg-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _started_here(pid: int) -> bool:
    """Whether ``pid`` is a living actor that carries the word of this run."""
    proc = Path("/proc", str(pid))
    try:
        program = (proc / "comm").read_text().strip()
        state = (proc / "stat").read_text().rpartition(")")[2].split()[0]
        mark = f"{SESSION}={os.environ[SESSION]}".encode()
        return program == PROGRAM and state != "Z" and mark in (proc / "environ").read_bytes()
    except OSError:  # it ended while we looked, or belongs to somebody else
        return False


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when it leaves an actor behind, and end that actor."""
    if not Path("/proc/self/environ").exists():
        return
    running = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    found = [pid for pid in running if _started_here(pid)]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    left = session.config.stash[LEFT]
    left += found
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left"] = left
    if left and session.exitstatus in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how much tests tried that count it, and which actors were left behind.

    A test says it as the property `tried`; what it prints stays in its worker.
    """
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for line in (line for name, line in report.user_properties if name == "tried"):
            if report.when == "call":
                terminalreporter.write_line(line)
    for pid in config.stash[LEFT]:
        terminalreporter.write_line(f"ERROR {PROGRAM} {pid} was still running at the end", red=True)
