"""The versions of huntgraph's parts; each changes on its own."""

from __future__ import annotations

import platform

__all__ = ["__version__", "versions"]

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """Give the version of the package, the wire, the file formats and the Python that runs it."""
    return {
        "huntgraph": __version__,
        "wire": "huntgraph/1",
        "world": "1",
        "log": "1",
        "snapshot": "1",
        "ring": "1",
        "counters": "2",
        "hunt": "1",
        "python": platform.python_version(),
    }
