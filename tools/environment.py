"""Make .venv ready: pinned packages, the built Rust parts, huntgraph itself, editable.

python tools/environment.py           all of it; steps whose inputs did not change are skipped
python tools/environment.py --bench   add what huntgraph is measured against, as far as it is there
python tools/environment.py --lock    write the lock files anew from pyproject.toml (needs uv)

Each step leaves a stamp in .venv with the hash of what it was made from, so that a second start
costs only the hashing. Start it by tools/setup.sh, which looks for Python and cargo first.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV_DIR = ROOT / "build" / "uv"
LOCK = ROOT / "requirements.lock"
RUNTIME_LOCK = ROOT / "requirements-runtime.lock"
BENCH_LOCK = ROOT / "requirements-bench.lock"
MODULE = ROOT / "src" / "huntgraph" / "_core.abi3.so"
PROGRAM = VENV / "bin" / "hunt-graph"
RIVALS = ("--manifest-path", "bench/rivals/Cargo.toml")
NATS_SERVER = "github.com/nats-io/nats-server/v2@v2.15.2"

# The same words as setuptools-rust uses, so that cargo compiles everything once for both.
FEATURES = ("--features", "pyo3/extension-module")
MODULE_BUILD = [
    *("rustc", "--lib", "--manifest-path", "crates/python/Cargo.toml", "--release", "--locked"),
    *(*FEATURES, "--crate-type", "cdylib"),
]
PROGRAM_BUILD = [
    *("build", "--manifest-path", "crates/actor/Cargo.toml", "--release", "--locked"),
    *("-p", "huntgraph-actor", "-p", "huntgraph-python", "--bins"),
]


class SetupError(Exception):
    """A step cannot be done; the message is one line that says what to do."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def target_dir() -> Path:
    """Give the folder cargo builds into: CARGO_TARGET_DIR or target/."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def build_environment() -> dict[str, str]:
    """Give the variables every cargo call shares; a difference would compile PyO3 again."""
    env = dict(os.environ)
    env["CARGO_TARGET_DIR"] = str(target_dir())
    env["PYO3_BUILD_EXTENSION_MODULE"] = "1"
    env["PYO3_PYTHON"] = env["PYTHON_SYS_EXECUTABLE"] = str(PYTHON)
    return env


def run(argv: Sequence[str | Path], why: str) -> None:
    """Run a command in the checkout; a failure names what it was for."""
    status = subprocess.run([str(word) for word in argv], cwd=ROOT, env=build_environment())
    if status.returncode:
        raise SetupError(f"setup failed: {why} (exit status {status.returncode}, see above)")


def digest(parts: Iterable[str | Path]) -> str:
    """Hash texts, files and whole folders of files, with their names."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            state.update(part.encode() + b"\0")
            continue
        files = sorted(part.rglob("*")) if part.is_dir() else [part]
        for file in files:
            if file.is_file():
                content = file.read_bytes()
                state.update(f"{file.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return state.hexdigest()


class Stamp:
    """The recorded hash of one step's inputs."""

    def __init__(self, name: str, inputs: Iterable[str | Path], outputs: Iterable[Path]) -> None:
        self.path = VENV / f".stamp-{name}"
        self.value = digest(inputs)
        self.outputs = tuple(outputs)

    def current(self) -> bool:
        """Whether the step was done from these very inputs and its outputs are still there."""
        if not all(path.exists() for path in self.outputs):
            return False
        return self.path.is_file() and self.path.read_text() == self.value

    def write(self) -> None:
        """Record that the step is done."""
        self.path.write_text(self.value)


def find_uv() -> str | None:
    """Find uv: on the path, or where this script put it."""
    own = UV_DIR / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.is_file() else None)


def make_venv() -> None:
    """Make .venv with the venv module or, where Debian left that out, with uv."""
    print("setup: making .venv", flush=True)
    base = str(getattr(sys, "_base_executable", sys.executable))
    made = subprocess.run([base, "-m", "venv", "--clear", str(VENV)], capture_output=True)
    if made.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if find_uv() is None:
        fetch = [base, "-m", "pip", "install", "-q", "--target", str(UV_DIR), "uv"]
        subprocess.run(fetch, capture_output=True)
    uv = find_uv()
    if uv is None:
        raise SetupError("python's venv module is missing: apt install python3-venv", 3)
    run([uv, "venv", "-q", "--python", base, VENV], "making .venv with uv")


def install(options: Sequence[str | Path], why: str) -> None:
    """Install into .venv with uv where there is one, else (or if that fails) with pip."""
    tools: list[list[str | Path]] = []
    if uv := find_uv():
        tools.append([uv, "pip", "install", "-q", "--python", PYTHON])
    if any(VENV.glob("lib/python3*/site-packages/pip")):
        tools.append([PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-q"])
    if not tools:
        raise SetupError(".venv has no pip and there is no uv: run make clean, then make setup", 3)
    for tool in tools[:-1]:
        argv = [str(word) for word in (*tool, *options)]
        if subprocess.run(argv, cwd=ROOT, env=build_environment()).returncode == 0:
            return
    run([*tools[-1], *options], why)


def install_packages() -> None:
    """Install what the lock file pins, by hash."""
    pins = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE))
    print(f"setup: installing {pins} pinned packages from {LOCK.name}", flush=True)
    install(["--require-hashes", "--no-deps", "-r", LOCK], "installing packages")


def replace_file(source: Path, target: Path) -> None:
    """Copy so that a running process that has ``target`` open or mapped keeps the old one."""
    passing = target.with_name(target.name + "~")
    shutil.copyfile(source, passing)
    passing.chmod(0o755)
    passing.replace(target)


def require_rust() -> None:
    """Compare cargo's version with the one Cargo.toml asks for."""
    with (ROOT / "Cargo.toml").open("rb") as file:
        wanted = str(tomllib.load(file)["workspace"]["package"]["rust-version"])
    cargo = os.environ.get("CARGO", "cargo")
    told = subprocess.run([cargo, "--version"], capture_output=True, text=True, cwd=ROOT).stdout
    found = re.search(r"\d+\.\d+", told)
    have = tuple(map(int, found[0].split("."))) if found else (0,)
    if have < tuple(map(int, wanted.split("."))):
        raise SetupError(
            f"cargo is {told.strip() or 'broken'}, {wanted} or later is needed: "
            "apt install cargo-web rustc-web (Debian), elsewhere rustup update",
            3,
        )


def build_rust() -> None:
    """Build the extension and the program, and put them where Python finds them."""
    require_rust()
    print("setup: building the Rust parts", flush=True)
    cargo = os.environ.get("CARGO", "cargo")
    run([cargo, *MODULE_BUILD], "building the extension huntgraph._core")
    run([cargo, *PROGRAM_BUILD], "building the program hunt-graph")
    # Python would prefer a module built for one version of it over the one for all.
    for other in MODULE.parent.glob("_core.cpython-*.so"):
        other.unlink()
    release = target_dir() / "release"
    replace_file(release / "lib_core.so", MODULE)
    replace_file(release / "hunt-graph", PROGRAM)


def install_project() -> None:
    """Install huntgraph itself, editable; its build finds everything compiled already."""
    print("setup: installing huntgraph, editable", flush=True)
    install(["--no-deps", "--no-build-isolation", "-e", "."], "installing huntgraph")


def write_locks() -> None:
    """Pin everything for every Python from 3.11 on, with hashes and without any address."""
    uv = find_uv()
    if uv is None:
        raise SetupError("uv is missing, it writes the lock files: pip install uv", 3)
    with (ROOT / "pyproject.toml").open("rb") as file:
        build = "\n".join(tomllib.load(file)["build-system"]["requires"])
    command = [uv, "pip", "compile", "-q", "--universal", "--python-version", "3.11"]
    command += ["--fork-strategy", "fewest", "--generate-hashes", "--no-header", "--no-annotate"]
    # Rivals are no part of a checkout that is only worked on: they have a lock of their own.
    extras = [word for name in ("parquet", "networkx", "otel", "dev") for word in ("--extra", name)]
    locks = [
        (LOCK, [*extras, "-"]),
        (RUNTIME_LOCK, []),
        (BENCH_LOCK, ["--extra", "bench", "-c", LOCK.name]),
    ]
    for lock, sources in locks:
        argv = [*command, "pyproject.toml", *sources, "-o", lock.name]
        subprocess.run(argv, cwd=ROOT, input=build, text=True, check=True, stdout=sys.stderr)
    # What the actor needs is in the lock of the rivals too.
    run([os.environ.get("CARGO", "cargo"), "update", "--workspace", *RIVALS], "locking the rivals")


def add_rivals() -> bool:
    """Install and build what huntgraph is measured against; what cannot be had is only told."""
    print(f"setup: installing what {BENCH_LOCK.name} pins, and building bench/rivals", flush=True)
    cargo = os.environ.get("CARGO", "cargo")
    build = [cargo, "build", "--release", "--locked", *RIVALS]
    packages: list[str | Path] = ["--require-hashes", "--no-deps", "-r", BENCH_LOCK]
    steps: list[Callable[[], None]] = [
        partial(install, packages, "adding libraries"),
        partial(run, build, "building the program rivals"),
        add_nats_server,
    ]
    whole = True
    for step in steps:
        try:
            step()
        except SetupError as error:
            whole = False
            print(f"{error}; its rows will say so", file=sys.stderr)
    return whole


def add_nats_server() -> None:
    """Build the NATS server with Go, into .venv."""
    program = VENV / "bin" / "nats-server"
    if program.exists():
        return
    go = shutil.which("go")
    if go is None:
        raise SetupError("go is missing, it builds the NATS server")
    argv = ["env", f"GOBIN={program.parent}", go, "install", NATS_SERVER]
    run(argv, "building nats-server")


def main(arguments: Sequence[str]) -> int:
    """Do what is not done yet; status 3 means that a tool is missing."""
    try:
        if "--lock" in arguments:
            write_locks()
            return 0
        venv = Stamp("venv", [str(ROOT)], [PYTHON])
        packages = Stamp("packages", [venv.value, LOCK], [PYTHON])
        crates = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", ROOT / "crates", ROOT / "schema"]
        rust = Stamp("rust", crates, [MODULE, PROGRAM])
        project = Stamp("project", [packages.value, ROOT / "pyproject.toml"], [PYTHON])
        # tools/setup.sh starts the Python of .venv unless that is missing or too old.
        usable = Path(sys.prefix).resolve() == VENV.resolve() and (
            venv.current() or not venv.path.exists()
        )
        if not usable:
            make_venv()
        venv.write()
        if not packages.current():
            install_packages()
            packages.write()
        if not rust.current():
            build_rust()
            rust.write()
        if not project.current():
            install_project()
            project.write()
        if "--bench" in arguments:
            rivals = Stamp("rivals", [rust.value, BENCH_LOCK, ROOT / "bench" / "rivals"], [])
            if not rivals.current() and add_rivals():
                rivals.write()
    except SetupError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
