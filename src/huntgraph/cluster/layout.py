"""Where the files of a served partition are: one folder holds all that ``serve`` needs."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huntgraph.errors import ActorError

__all__ = ["Layout", "home"]

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


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a served partition."""

    folder: Path

    @property
    def certificates(self) -> Path:
        """The local authority and the identities it signed."""
        return self.folder / "certificates"

    @property
    def actor(self) -> Path:
        """The actor's own folder: log, snapshots, ring, counters, control socket."""
        return self.folder / "actor"

    @property
    def facts_file(self) -> Path:
        """What ``serve`` tells other commands; there while it runs."""
        return self.folder / "serve.json"

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write the facts, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".serve.", dir=self.folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(facts, file, indent=2)
            file.write("\n")
        Path(name).replace(self.facts_file)

    def facts(self) -> dict[str, Any]:
        """Read the facts. Raises ActorError HG1450 when nothing is served from this folder."""
        try:
            found = json.loads(self.facts_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ActorError(
                "nothing is served from this folder",
                where=self.folder,
                fix="start huntgraph serve with this --dir, or name the folder it was started with",
                code="HG1450",
            ) from error
        return dict(found)

    def forget_facts(self) -> None:
        """Remove the facts: nothing is served here any more."""
        self.facts_file.unlink(missing_ok=True)
