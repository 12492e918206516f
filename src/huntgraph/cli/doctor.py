"""``huntgraph doctor``: what could keep huntgraph from running well here."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, Literal

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Json, counted, print_json, table
from huntgraph.errors import HuntError

__all__ = ["CHECKS", "Finding", "doctor"]

BUFFER_BYTES: Final = 2 << 20
FILES: Final = 1024
FREE_MIB: Final = 1024
FSYNC_SLOW_MS: Final = 20.0
PROGRAM_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``good``, a ``note`` (works, could be better) or a ``problem``."""

    name: str
    state: Literal["good", "note", "problem"]
    found: str
    fix: str = ""


def _python() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()}"
    return Finding("python", "good", f"{found} ({sys.executable})")


def _system() -> Finding:
    found = f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs"
    if platform.system() != "Linux":
        return Finding("system", "problem", found, "the actor runs on Linux")
    if (os.cpu_count() or 1) < 2:
        return Finding("system", "note", found, "give it two CPUs: one for the actor")
    return Finding("system", "good", found)


def _core() -> Finding:
    try:
        from huntgraph import _core as built
    except ImportError as error:
        fix = "install the huntgraph wheel for this machine, or run make build in a checkout"
        return Finding("core", "problem", str(error), fix)
    return Finding("core", "good", Path(built.__file__ or "").name)


def _actor() -> Finding:
    from huntgraph.program import actor_program
    from huntgraph.versions import __version__

    try:
        program = actor_program()
        run = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=PROGRAM_TIMEOUT_S,
            check=False,
        )
    except HuntError as error:
        return Finding("actor", "problem", error.what, error.fix)
    except (OSError, subprocess.TimeoutExpired) as error:
        fix = "install the huntgraph wheel for this machine"
        return Finding("actor", "problem", f"{program}: {error}", fix)
    said = (run.stdout or run.stderr).strip()
    if run.returncode != 0 or said.split()[-1:] != [__version__]:
        fix = "install actor and package of one version: run make build, or unset HUNTGRAPH_ACTOR"
        return Finding("actor", "problem", f"{program} says: {said or run.returncode}", fix)
    return Finding("actor", "good", f"{said} ({program})")


def _udp() -> Finding:
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        ):
            other.bind(("127.0.0.1", 0))
            other.settimeout(2.0)
            one.sendto(b"huntgraph", other.getsockname())
            other.recv(64)
            other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            # The system reports twice what it gives, for its own bookkeeping.
            room = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
    except OSError as error:
        fix = "allow UDP on the loopback interface: QUIC runs over it"
        return Finding("udp", "problem", f"no UDP on 127.0.0.1: {error}", fix)
    found = f"loopback works, receive buffer {room // 1024} KiB"
    if room < BUFFER_BYTES:
        fix = f"sysctl -w net.core.rmem_max={BUFFER_BYTES} net.core.wmem_max={BUFFER_BYTES}"
        return Finding("udp", "note", found, f"for bursts of many game servers: {fix}")
    return Finding("udp", "good", found)


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        return Finding("files", "note", f"{soft} open files", f"ulimit -n {min(hard, 65536)}")
    return Finding("files", "good", f"{soft:,} open files")


def _home() -> Finding:
    from huntgraph.cluster import home

    folder = home("state")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        slowest_ms = _fsync_ms(folder)
        free_mib = shutil.disk_usage(folder).free >> 20
    except OSError as error:
        fix = "make it writable, or set HUNTGRAPH_HOME to a folder that is"
        return Finding("disk", "problem", f"{folder}: {error.strerror or error}", fix)
    found = f"{folder}: {free_mib:,} MiB free, fsync {slowest_ms:.2f} ms"
    if free_mib < FREE_MIB:
        return Finding("disk", "problem", found, f"free {FREE_MIB} MiB for logs and snapshots")
    if slowest_ms > FSYNC_SLOW_MS:
        fix = "durable acknowledgements wait for it: put HUNTGRAPH_HOME on a quicker disk"
        return Finding("disk", "note", found, fix)
    return Finding("disk", "good", found)


def _fsync_ms(folder: Path) -> float:
    """Give the median of some small writes with fsync, in milliseconds."""
    times = []
    with TemporaryFile(dir=folder) as file:
        for _ in range(9):
            file.write(bytes(4096))
            file.flush()
            began_ns = time.perf_counter_ns()
            os.fsync(file.fileno())
            times.append((time.perf_counter_ns() - began_ns) / 1e6)
    return sorted(times)[len(times) // 2]


def _certificates() -> Finding:
    from huntgraph.cluster import Authority, Layout, home

    places = [Layout(home("state") / "serve"), Layout(home("cache") / "demo")]
    shown = []
    for layout in places:
        if not (layout.certificates / "authority.pem").exists():
            continue
        try:
            ends = Authority.create_or_open(layout.certificates).server_identity().expires
        except HuntError as error:
            return Finding("certificates", "problem", f"{error.where}: {error.what}", error.fix)
        shown.append(f"{layout.folder.name} until {ends:%Y-%m-%d}")
    return Finding("certificates", "good", ", ".join(shown) or "none yet: made on first use")


def _clock() -> Finding:
    year = time.gmtime().tm_year
    if not 2025 <= year <= 2100:
        return Finding("clock", "problem", f"it is said to be {year}", "set the system's clock")
    return Finding("clock", "good", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


CHECKS: Final[tuple[Callable[[], Finding], ...]] = (
    _python,
    _system,
    _core,
    _actor,
    _udp,
    _files,
    _home,
    _certificates,
    _clock,
)


def _findings() -> Iterator[Finding]:
    for check in CHECKS:
        yield check()


def doctor(*, json: Json = False) -> int:
    """Look over this machine.

    Args:
        json: print the findings as JSON.
    """
    found = list(_findings())
    problems = sum(finding.state == "problem" for finding in found)
    if json:
        print_json("doctor", {"problems": problems, "findings": [asdict(each) for each in found]})
    else:
        rows = [(each.name, each.state, each.found) for each in found]
        table("", ("check", "state", "found"), rows)
        for finding in found:
            if finding.fix:
                print(f"{finding.name}: {finding.fix}")
        print("nothing is wrong" if not problems else counted(problems, "problem"))
    return Exit.PROBLEM if problems else Exit.OK
