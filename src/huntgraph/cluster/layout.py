"""Where the files of a served partition are: one folder holds all that ``serve`` needs."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huntgraph.errors import ActorError, UsageError

__all__ = ["Layout"]

FACTS: Final = frozenset({"http", "identity", "partitions", "world"})
"""What every reader of the facts counts on."""


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

    def part(self, partition: int) -> Path:
        """The folder of one actor of several, those of a world in parts."""
        return self.folder / f"actor-{partition:02}"

    @property
    def facts_file(self) -> Path:
        """What ``serve`` tells other commands; there while it runs."""
        return self.folder / "serve.json"

    @property
    def world_note(self) -> Path:
        """The path of the world that was served last; it stays when ``serve`` has ended."""
        return self.folder / "world.path"

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Write the facts, whole or not at all; ``facts["world"]`` is remembered for good."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write(self.world_note, str(facts["world"]) + "\n")
        self._write(self.facts_file, json.dumps(facts, indent=2) + "\n")

    def _write(self, path: Path, text: str) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=self.folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)

    def world(self) -> Path:
        """Give the world that is or was served. Raises UsageError when none was."""
        try:
            return Path(self.world_note.read_text(encoding="utf-8").rstrip("\n"))
        except OSError as error:
            what = "no world was served from this folder"
            fix = "name the world's file with --world"
            raise UsageError(what, where=self.folder, fix=fix) from error

    def facts(self) -> dict[str, Any]:
        """Read the facts. Raises ActorError HG1450 when nothing is served from this folder."""
        try:
            found = dict(json.loads(self.facts_file.read_text(encoding="utf-8")))
            if FACTS - found.keys():
                raise ValueError(f"{self.facts_file.name} lacks some of {sorted(FACTS)}")
        except (OSError, TypeError, ValueError) as error:
            raise ActorError(
                "nothing is served from this folder",
                where=self.folder,
                fix="start huntgraph serve with this --dir, or name the folder it was started with",
                code="HG1450",
            ) from error
        return found

    @property
    def names_file(self) -> Path:
        """Names of the hunts that were published from here, by id in 16 hex digits."""
        return self.folder / "hunts.json"

    def hunt_names(self) -> dict[int, str]:
        """Give the names of hunts that were published from here, by id."""
        try:
            found = json.loads(self.names_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {int(hunt_id, 16): str(name) for hunt_id, name in found.items()}

    def note_hunt(self, hunt_id: int, name: str) -> None:
        """Remember a hunt's name, of which actors know the id alone."""
        names = self.hunt_names() | {hunt_id: name}
        found = {f"{hunt_id:016x}": name for hunt_id, name in names.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write(self.names_file, json.dumps(found, indent=2, ensure_ascii=False) + "\n")

    def forget_facts(self) -> None:
        """Remove the facts: nothing is served here any more."""
        self.facts_file.unlink(missing_ok=True)
