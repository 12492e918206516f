"""The user's own folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["home"]

HOME: Final = "HUNTGRAPH_HOME"


def home(kind: str = "cache") -> Path:
    """Give the user's folder for ``"cache"`` (may be lost) or ``"state"`` (logs of hunts).

    ``HUNTGRAPH_HOME`` is taken for both when set, else ``XDG_CACHE_HOME`` or ``XDG_STATE_HOME``.
    """
    named = os.environ.get(HOME)
    if named:
        return Path(named).expanduser().absolute()
    default = {"cache": ".cache", "state": ".local/state"}[kind]
    base = os.environ.get(f"XDG_{kind.upper()}_HOME")
    return (Path(base) if base else Path.home() / default) / "huntgraph"
