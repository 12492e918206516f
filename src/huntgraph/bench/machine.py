"""What a figure was measured on: the machine, its load, the compiler and the commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from huntgraph import _core
from huntgraph.versions import __version__

__all__ = ["commit", "filesystem", "load_average", "machine"]


def machine() -> dict[str, Any]:
    """Give cpu, cores, memory_gib, kernel, python and rustc (which built the native parts)."""
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "rustc": _rustc(),
    }


def load_average() -> dict[str, float]:
    """Give the machine's load averages over 1 and 5 minutes."""
    one, five, _ = os.getloadavg()
    return {"average_1m": round(one, 2), "average_5m": round(five, 2)}


def commit() -> str:
    """Give the checkout's commit, with ``-changed`` when its code differs; else the version."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return f"huntgraph {__version__}"
    try:
        found = _git(root, "rev-parse", "HEAD").strip()
        code = ("crates", "src", "schema", "Cargo.toml", "Cargo.lock")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", *code)
    except (OSError, subprocess.CalledProcessError):
        return f"huntgraph {__version__}"
    return f"{found}-changed" if changed.strip() else found


def filesystem(directory: Path) -> str:
    """Give the type of the file system that holds a directory, as in ``ext4``."""
    found, place = "unknown", directory.resolve()
    longest = -1
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        inside = place.is_relative_to(mount.replace("\\040", " "))
        if inside and len(mount) >= longest:
            found, longest = kind, len(mount)
    return found


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", *words], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _rustc() -> str:
    """Read the compiler's version out of the extension it built."""
    built = Path(str(_core.__file__)).read_bytes()
    found = re.search(rb"rustc version ([\w.+-]+)", built)
    return found.group(1).decode() if found else "unknown"
