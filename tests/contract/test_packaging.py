"""What is shipped: one version, locked packages without addresses, one wheel with everything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

import environment
import huntgraph
from huntgraph.errors import ActorError
from huntgraph.program import VARIABLE, actor_program

ROOT = environment.ROOT
LOCKS = (environment.LOCK, environment.RUNTIME_LOCK, environment.BENCH_LOCK)


def toml(name: str) -> dict[str, Any]:
    with (ROOT / name).open("rb") as file:
        return tomllib.load(file)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE)
    return {plain(name): version for name, version in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?:|file:|git\+|(?<!\w)/\w|@ |index-url|find-links", text)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 20
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_locks_hold_what_pyproject_asks_for() -> None:
    project = toml("pyproject.toml")["project"]
    runtime = {plain(re.split(r"[<>=!~ ;\[]", need)[0]) for need in project["dependencies"]}
    extras = project["optional-dependencies"].values()
    optional = {plain(re.split(r"[<>=!~ ;\[]", need)[0]) for some in extras for need in some}
    everything, small = pins(environment.LOCK), pins(environment.RUNTIME_LOCK)
    rivals = pins(environment.BENCH_LOCK)
    assert runtime <= small.keys()
    assert runtime | {"setuptools", "setuptools-rust"} <= everything.keys()
    assert optional <= everything.keys() | rivals.keys()
    assert small.items() <= everything.items()
    assert all(everything.get(name, version) == version for name, version in rivals.items())


def test_installed_packages_are_the_locked_ones() -> None:
    for name in ("numpy", "pydantic", "cyclopts", "setuptools-rust"):
        assert metadata.version(name) == pins(environment.LOCK)[name]


def test_cargo_lock_names_one_registry_and_no_repository() -> None:
    lock = toml("Cargo.lock")
    sources = {package.get("source", "") for package in lock["package"]}
    assert len(sources) == 2, sources  # this workspace and the public registry
    assert all(source == "" or source.startswith("registry+") for source in sources)


def test_versions_agree() -> None:
    version = toml("pyproject.toml")["project"]["version"]
    assert toml("Cargo.toml")["workspace"]["package"]["version"] == version
    own = [p for p in toml("Cargo.lock")["package"] if p["name"].startswith("huntgraph-")]
    assert {package["version"] for package in own} == {version}
    assert len(own) == 3
    assert metadata.version("huntgraph") == version
    assert getattr(huntgraph, "__version__", version) == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def test_metadata_of_the_distribution() -> None:
    about = metadata.metadata("huntgraph")
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    scripts = metadata.entry_points(group="console_scripts", name="huntgraph")
    assert [script.value for script in scripts] == ["huntgraph.cli:main"]


def test_types_are_shipped() -> None:
    assert resources.files("huntgraph").joinpath("py.typed").is_file()
    data = toml("pyproject.toml")["tool"]["setuptools"]["package-data"]["huntgraph"]
    assert {"py.typed", "**/*.pyi"} <= set(data)


def test_one_wheel_for_all_pythons() -> None:
    tool = toml("pyproject.toml")["tool"]
    assert tool["distutils"]["bdist_wheel"]["py_limited_api"] == "cp311"
    assert tool["setuptools-rust"]["ext-modules"][0]["target"] == "huntgraph._core"
    assert tool["setuptools-rust"]["bins"][0]["target"] == "hunt-graph"
    assert environment.MODULE.name.endswith(".abi3.so")
    assert environment.MODULE.is_file()


def test_program_is_found_where_it_was_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert actor_program() == Path(sys.executable).absolute().parent / "hunt-graph"


def test_variable_names_another_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "other"
    program.write_text("#!/bin/sh\n")
    monkeypatch.setenv(VARIABLE, str(program))
    with pytest.raises(ActorError, match="not a program") as caught:
        actor_program()
    assert caught.value.code == "HG1410"
    program.chmod(0o755)
    assert actor_program() == program


@pytest.mark.parametrize("package", ["huntgraph", "lib/python3.11/site-packages/huntgraph"])
def test_program_is_found_beside_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str
) -> None:
    """`pip install --target` and `--prefix` put it where no interpreter looks."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none" / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path / "none"))
    monkeypatch.setattr("huntgraph.program.__file__", str(tmp_path / package / "program.py"))
    program = tmp_path / "bin" / "hunt-graph"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert actor_program() == program


def test_missing_program_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path / "scripts"))
    monkeypatch.setattr("huntgraph.program.__file__", str(tmp_path / "a/b/c/huntgraph/program.py"))
    with pytest.raises(ActorError, match="make build") as caught:
        actor_program()
    assert caught.value.code == "HG1410"
    assert str(tmp_path / "scripts") in caught.value.where


def setup(path: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": path, "HOME": "/nonexistent", **variables}
    command = ["/bin/sh", str(ROOT / "tools" / "setup.sh"), "--none"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A search path with nothing on it but what a shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "sh"):
        place = next(
            Path(f) / name for f in os.defpath.split(":") if (Path(f or "/bin") / name).exists()
        )
        (folder / name).symlink_to(place)
    return str(folder)


def test_missing_cargo_is_one_line_and_status_3(bare_path: str) -> None:
    told = setup(bare_path, PYTHON=sys.executable)
    assert told.returncode == 3
    assert told.stdout == ""
    assert told.stderr.count("\n") == 1
    assert "apt install cargo-web rustc-web" in told.stderr


def test_old_cargo_is_one_line_and_status_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cargo = tmp_path / "cargo"
    cargo.write_text("#!/bin/sh\necho cargo 1.63.0\n")
    cargo.chmod(0o755)
    monkeypatch.setenv("CARGO", str(cargo))
    with pytest.raises(environment.SetupError, match=r"cargo 1\.63\.0, 1\.\d+ or later") as caught:
        environment.require_rust()
    assert caught.value.status == 3


def test_stamp_knows_change_and_loss(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    source, output = tmp_path / "source", tmp_path / "output"
    source.write_text("1")
    output.touch()
    stamp = environment.Stamp("x", [source], [output])
    assert not stamp.current()
    stamp.write()
    assert environment.Stamp("x", [source], [output]).current()
    source.write_text("2")
    assert not environment.Stamp("x", [source], [output]).current()
    source.write_text("1")
    output.unlink()
    assert not environment.Stamp("x", [source], [output]).current()
