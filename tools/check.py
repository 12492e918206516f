"""Run every check to its end and say at the end how many passed and failed.

python tools/check.py           what `make test` runs
python tools/check.py --lint    only the checks that run no test
python tools/check.py --fast    without the tests marked slow

Exit status 0 when nothing failed, 1 otherwise, 130 when interrupted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import environment

CARGO = os.environ.get("CARGO", "cargo")
TESTED = ("-p", "huntgraph-core", "-p", "huntgraph-actor")
PACKAGES = (*TESTED, "-p", "huntgraph-python")
CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
PYTEST_RESULT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
PYTEST_LAST = re.compile(r"^=+ .*\bin [\d.]+s( \([\d:]+\))? =+$|^=+ no tests ran")


@dataclass
class Count:
    """What became of the tests of one check."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


Reader = Callable[[Count, str], None]


@dataclass
class Check:
    """One command; ``reader`` counts tests in its output, without it the command counts as one."""

    name: str
    argv: Sequence[str]
    reader: Reader | None = None
    needs: str = ""
    count: Count = field(default_factory=Count)
    note: str = ""
    seconds: float = 0.0


def read_cargo(count: Count, line: str) -> None:
    """Add one `test result` line of cargo."""
    if found := CARGO_RESULT.match(line):
        passed, failed, ignored = map(int, found.groups())
        count.passed += passed
        count.failed += failed
        count.skipped += ignored


def read_pytest(count: Count, line: str) -> None:
    """Add the last line of pytest."""
    if not PYTEST_LAST.match(line):
        return
    for number, word in PYTEST_RESULT.findall(line):
        if word in ("passed", "xfailed"):
            count.passed += int(number)
        elif word == "skipped":
            count.skipped += int(number)
        else:
            count.failed += int(number)


def lint_checks() -> list[Check]:
    """Give the checks that run no test, the quick ones first."""
    clippy = [CARGO, "clippy", "--release", "--locked", "--keep-going", "--all-targets"]
    clippy += [*PACKAGES, *environment.FEATURES, "--", "-D", "warnings"]
    rivals = ["--manifest-path", "bench/rivals/Cargo.toml"]
    folders = ("src", "tools", "tests", "bench", "examples")
    typed = [name for name in folders if any((environment.ROOT / name).rglob("*.py"))]
    return [
        Check("tidy", [sys.executable, "tools/tidy.py"]),
        Check("generated files", [sys.executable, "tools/generate.py", "--check"]),
        Check("ruff format", [sys.executable, "-m", "ruff", "format", "--check", "."]),
        Check("ruff check", [sys.executable, "-m", "ruff", "check", "."]),
        Check("mypy", [sys.executable, "-m", "mypy", *typed]),
        Check("stub", [sys.executable, "-m", "mypy.stubtest", "huntgraph._core"]),
        Check("rustfmt", [CARGO, "fmt", "--all", "--check"], needs="cargo-fmt"),
        Check("rustfmt rivals", [CARGO, "fmt", *rivals, "--check"], needs="cargo-fmt"),
        Check("clippy", clippy, needs="cargo-clippy"),
    ]


def test_checks(fast: bool) -> list[Check]:
    """Give the checks that run tests."""
    marks = "not soak and not slow" if fast else "not soak"
    # Tests, then documentation: the examples, linked by neither, are clippy's and those of pytest.
    cargo = [CARGO, "test", "--profile", "checked", "--locked", "--no-fail-fast", *TESTED]
    python = [sys.executable, "-m", "pytest", "-m", marks, *shared_out()]
    return [
        Check("cargo test", [*cargo, "--tests"], read_cargo),
        Check("cargo doc test", [*cargo, "--doc"], read_cargo),
        Check("pytest", python, read_pytest),
    ]


def shared_out() -> list[str]:
    """Give pytest's words for two workers that take one file after the other, in pytest's order.

    Most tests wait for an actor or run one, so that alone they leave half of two cores idle. A file
    stays whole: its tests share what its fixtures made.
    """
    if (os.cpu_count() or 1) < 2:
        return []
    return ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def seed() -> str:
    """Give HUNTGRAPH_SEED, or the commit's own: the same cases for the same files."""
    if chosen := os.environ.get("HUNTGRAPH_SEED"):
        return chosen
    words = ["git", "rev-parse", "--short=8", "HEAD^{tree}"]
    tree = subprocess.run(words, cwd=environment.ROOT, capture_output=True, text=True, check=False)
    return str(int(tree.stdout or "1", 16))


def run(check: Check) -> None:
    """Run one check, showing its output as it comes, and count."""
    print(f"\n== {check.name}", flush=True)
    if check.needs and shutil.which(check.needs) is None:
        check.note = f"{check.needs} is missing: rustup component add clippy rustfmt"
        check.count.skipped = 1
        print(check.note, flush=True)
        return
    begin = time.monotonic()
    process = subprocess.Popen(
        check.argv,
        cwd=environment.ROOT,
        env=environment.build_environment() | {"HUNTGRAPH_SEED": seed()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if check.reader is not None:
                check.reader(check.count, line.rstrip("\n"))
    check.seconds = time.monotonic() - begin
    if check.reader is None:
        check.count.passed = int(process.returncode == 0)
    # A command that failed without a failed test (a compile error, say) is itself the failure.
    if process.returncode and not check.count.failed:
        check.count.failed = 1
        check.note = f"exit status {process.returncode}"


def main(arguments: Sequence[str]) -> int:
    """Run the checks asked for."""
    checks = lint_checks()
    if "--lint" not in arguments:
        checks += test_checks("--fast" in arguments)
    try:
        for check in checks:
            run(check)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    print(f"\n{'check':<16} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for check in checks:
        count = check.count
        numbers = f"{count.passed:7} {count.failed:7} {count.skipped:8} {check.seconds:8.1f}"
        print(f"{check.name:<16} {numbers}  {check.note}".rstrip())
    failed = sum(check.count.failed for check in checks)
    print(f"{sum(check.count.passed for check in checks)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    os.chdir(Path(environment.ROOT))
    sys.exit(main(sys.argv[1:]))
