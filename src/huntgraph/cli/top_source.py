"""Where ``top`` looks: folders of running actors, and gateways."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from huntgraph.bus import Counters, Reading
from huntgraph.cluster import Layout
from huntgraph.errors import ActorError, HuntError

__all__ = ["Folder", "GatewayAt", "Look", "Source"]

TIMEOUT_S: Final = 2.0
GAPS: Final = "ring_gaps"


@dataclass(frozen=True, slots=True)
class Look:
    """One partition at one moment; ``reading`` is None while its actor is away."""

    partition: int
    time_s: float
    reading: Reading | None


class Source(Protocol):
    """Something that can be looked at again and again."""

    name: str

    def look(self) -> list[Look]:
        """Look now. Raises ActorError when nothing answers."""


class Folder:
    """A folder of ``huntgraph serve``, or an actor's own; its counters are only read."""

    def __init__(self, folder: Path) -> None:
        layout = Layout(folder.absolute())
        self.name = str(folder)
        self._layout = layout
        actors = [layout.actor] if layout.actor.is_dir() else sorted(layout.folder.glob("actor-*"))
        self._paths = [actor / "counters" for actor in actors or [layout.folder]]
        self._open: dict[Path, Counters] = {}

    def look(self) -> list[Look]:
        """Look at the partitions of the folder. Raises ActorError HG1463, HG1464."""
        gaps = self._gaps()
        return [self._look(path, gaps) for path in self._paths]

    def _look(self, path: Path, gaps: dict[int, int]) -> Look:
        counters = self._open.get(path)
        if counters is None or counters.replaced:
            counters = self._open[path] = Counters(path)
        reading = counters.read()
        partition = reading.values.get("partition", 0)
        if partition in gaps:
            reading = replace(reading, values=reading.values | {GAPS: gaps[partition]})
        return Look(partition, time.monotonic(), reading)

    def _gaps(self) -> dict[int, int]:
        """Ask the gateway beside the actors: gaps are found by readers, not by an actor."""
        try:
            looks = GatewayAt(str(self._layout.facts()["http"])).look()
        except (HuntError, LookupError):
            return {}
        return {
            look.partition: look.reading.values[GAPS] for look in looks if look.reading is not None
        }


class GatewayAt:
    """A gateway by its URL; it may serve many partitions."""

    def __init__(self, url: str) -> None:
        self.name = url.rstrip("/").partition("://")[2]
        self._url = url.rstrip("/") + "/counters"
        # It is private: no proxy stands between.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def look(self) -> list[Look]:
        """Look at all its partitions. Raises ActorError HG1482 when it does not answer so."""
        try:
            with self._opener.open(self._url, timeout=TIMEOUT_S) as answer:
                body = json.load(answer)
            return [self._look(each) for each in body["partitions"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ActorError(
                f"no gateway answers: {error}",
                where=self._url,
                fix="give the address that huntgraph serve prints, http://HOST:PORT",
                code="HG1482",
            ) from error

    def _look(self, body: dict[str, Any]) -> Look:
        reading = None if body["reading"] is None else Reading.from_dict(body["reading"])
        return Look(int(body["partition"]), time.monotonic(), reading)
