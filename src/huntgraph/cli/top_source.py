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
        self._path = (layout.actor if layout.actor.is_dir() else layout.folder) / "counters"
        self._counters: Counters | None = None

    def look(self) -> list[Look]:
        """Look at the one partition of the folder. Raises ActorError HG1463, HG1464."""
        if self._counters is None or self._counters.replaced:
            self._counters = Counters(self._path)
        reading = self._counters.read()
        reading = replace(reading, values=reading.values | self._gaps())
        partition = reading.values.get("partition", 0)
        return [Look(partition, time.monotonic(), reading)]

    def _gaps(self) -> dict[str, int]:
        """Ask the gateway beside the actor: gaps are found by readers, not by the actor."""
        try:
            looks = GatewayAt(str(self._layout.facts()["http"])).look()
        except (HuntError, LookupError):
            return {}
        known = (look.reading.values[GAPS] for look in looks if look.reading is not None)
        return {GAPS: sum(known)}


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
