"""Build the wheel and the source archive into dist/, and look into the wheel.

The packages that build it are those of .venv, pinned by requirements.lock; nothing is downloaded
but crates.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import environment

DIST = environment.ROOT / "dist"
WANTED = ("huntgraph/_core.abi3.so", "huntgraph/py.typed", ".data/scripts/hunt-graph")


def build(kind: str) -> Path:
    """Call the build backend for ``wheel`` or ``sdist``; gives the archive."""
    call = f"from setuptools import build_meta as b; print(b.build_{kind}('dist'))"
    made = subprocess.run(
        [sys.executable, "-c", call],
        cwd=environment.ROOT,
        env=environment.build_environment(),
        capture_output=True,
        text=True,
    )
    if made.returncode:
        sys.exit(f"{made.stderr}\nbuilding the {kind} failed, see above")
    return DIST / made.stdout.split()[-1]


def main() -> int:
    """Build both; status 1 when the wheel lacks one of its parts."""
    DIST.mkdir(exist_ok=True)
    # A stale build/lib would put files into the wheel that are no longer in the sources.
    for stale in (*environment.ROOT.glob("build/lib*"), *environment.ROOT.glob("build/bdist*")):
        shutil.rmtree(stale)
    archives = [build("sdist"), build("wheel")]
    with zipfile.ZipFile(archives[1]) as wheel:
        names = wheel.namelist()
    missing = [name for name in WANTED if not any(have.endswith(name) for have in names)]
    for archive in archives:
        print(f"{archive.relative_to(environment.ROOT)}  {archive.stat().st_size / 1024:.0f} KiB")
    if missing:
        print(f"{archives[1].name} lacks {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
