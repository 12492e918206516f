"""`History`: the logs, snapshots and worlds of all partitions of a data folder."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.cluster.layout import Layout
from huntgraph.cluster.parts import find_parts
from huntgraph.engine import Engine, Rows
from huntgraph.errors import ForkError, LogDroppedError, UsageError
from huntgraph.timeline.cut import Cut, Messages
from huntgraph.timeline.index import Index
from huntgraph.timeline.log import END, Log, LogRecords
from huntgraph.timeline.lost import stand_ins
from huntgraph.timeline.replica import JOURNAL
from huntgraph.timeline.snapshot import (
    ADDED_MOST,
    PLAYERS_MOST,
    find_snapshots,
    newest_snapshot,
    taken_up,
)
from huntgraph.timeline.warm import Growing, Warm
from huntgraph.world import World

__all__ = ["History", "Records", "Source"]

SPARE: Final = 256
"""Players and added edges that a replay has room for beyond those of the log: for edits."""
WARM_SPARE: Final = 1 << 14
"""The same of a warm partition, for all who are still to come; then it is opened anew."""
LATER: Final = "name a later point; a copy from before has more"
"""What to do about a point that was dropped with the log."""
_ACTOR: Final = re.compile(r"actor-(\d+)")


class Records(Protocol):
    """What a history needs of a log: `huntgraph.timeline.log.Log` fits, and a `Warm` of it."""

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END
    ) -> Iterator[LogRecords]:
        """Give all records from position `first` to the present end, some at a time.

        Behind position `upto` little is given, and none is looked for.
        """


@dataclass(frozen=True)
class Source:
    """What one partition's states are made from: its world, its log and, maybe, snapshots."""

    partition: int
    world: Rows
    log: Records
    directory: Path | None = None
    """The actor's directory, where its snapshots are."""
    stand_ins: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    """What is given in place of records that are lost, by position (`huntgraph.timeline.lost`)."""

    def begin(self) -> tuple[int, int]:
        """Give the first position whose state can be made, and that of the first record there is.

        Both lie behind what was dropped from the log: 0 and 1 where nothing was.
        """
        if self.directory is None:
            return 0, 1
        world_id = self.world.world_id
        log = Log(self.directory, world_id=world_id, partition=self.partition)
        if (first := log.first_position()) == 1:
            return 0, 1
        known = [at for at in find_snapshots(self.directory) if at >= first - 1]
        return min(known, default=first - 1), first

    def records(self, first: int, last: int | None = None) -> Iterator[LogRecords]:
        """Give the records of positions `first` to `last`, of all behind it when that is None.

        Records that are lost, and named to be passed over, are rows of zeros or stand-ins.
        """
        for batch in self.log.records(first, upto=END if last is None else last):
            for position, row in self.stand_ins.items():
                if batch.first <= position < batch.first + len(batch.rows):
                    batch.rows[position - batch.first] = row
            if last is None or batch.first + len(batch.rows) - 1 <= last:
                yield batch
                continue
            if batch.first <= last:
                yield LogRecords(batch.first, batch.rows[: last - batch.first + 1])
            return


class History:
    """The recorded history of all partitions; `folder` keeps tags and forks.

    Reads beside running actors, and after them. Not for several threads at once.
    """

    def __init__(self, sources: Mapping[int, Source], folder: Path) -> None:
        self.sources = dict(sorted(sources.items()))
        self.folder = folder
        self.warm: dict[int, Warm] = {}
        """Partitions that are kept warm; see `keep_warm`."""
        self._room: dict[int, tuple[int, int]] = {}
        """Players and added edges that each of them has room for."""
        self._followed: Cut = {}
        """The consistent cut that they were brought to last."""
        self._index = Index(self.sources)

    @classmethod
    def open(cls, folder: str | Path, world: str | Path | None = None) -> Self:
        """Open the folder of `huntgraph serve`, or one actor's own directory.

        `world` is the world's file, or the folder of its parts; a folder of `huntgraph serve`
        knows it. Raises UsageError when there is no log, WorldError when the world is not whole.
        """
        layout = Layout(Path(folder).absolute())
        directories = _directories(layout)
        named = Path(world) if world is not None else layout.world()
        files = find_parts(named) if named.is_dir() else {min(directories): named}
        if sorted(files) != sorted(directories):
            what = f"logs of partitions {sorted(directories)}, worlds of {sorted(files)}"
            raise UsageError(what, where=layout.folder, fix="name the folder of its parts: --world")
        sources = {}
        for number, directory in directories.items():
            opened = World.open(files[number], verify="header")
            log = Log(directory, world_id=opened.world_id, partition=number)
            sources[number] = Source(number, opened, log, directory)
        return cls(sources, layout.folder)

    def pass_over(self, events: Iterable[tuple[int, int]]) -> None:
        """Go on where records cannot be read: each event is one of those that are lost there."""
        for number, position in events:
            log = self.sources[number].log if number in self.sources else None
            if isinstance(log, Log):
                log.without.add(position)

    def index(self, upto: Cut | None = None) -> Index:
        """Give the index of all logs, read on to their present ends, or no further than a cut.

        Raises LogError; ForkError HG1736 when a record that was to be passed over can be read.
        """
        for number, source in self.sources.items():
            part, last = self._index.of[number], None if upto is None else upto.get(number, 0)
            if last is not None and last <= part.end:
                continue
            if not part.end:
                part.begin, part.first = source.begin()
                part.end = part.first - 1
            known = len(part.lost)
            for records in source.records(part.end + 1, last):
                self._index.follow(number, records)
            if isinstance(source.log, Log):
                _check_needed(source.log, part.end)
            if len(part.lost) > known:
                source.stand_ins.update(self._stand_ins(number))
        return self._index

    def _stand_ins(self, number: int) -> dict[int, NDArray[np.uint8]]:
        """What is given in place of lost records, as far as states from before them are known."""
        part, source = self._index.of[number], self.sources[number]
        known = self.start(number, part.begin) if part.begin else None
        lost = [each for each in part.lost if each[0] > part.begin]
        return stand_ins(number, source.records(part.begin + 1), lost, known)

    def check_kept(self, cut: Mapping[int, int], fix: str = LATER) -> None:
        """Raise LogDroppedError when history begins behind a cut in some partition."""
        for number, position in cut.items():
            if position < self._index.of[number].begin:
                raise self.dropped(number, position, fix)

    def dropped(self, partition: int, position: int, fix: str = LATER) -> LogDroppedError:
        """Give the error to raise for a state or a record that was dropped with the log."""
        part, begin = self._index.of[partition], self.sources[partition].begin()[0]
        named = f"{partition}/{position}"
        if position >= begin:
            what = f"no snapshot at or before {named} can be read, and the log before was dropped"
            fix = "use the version that made the snapshots, or a copy from before"
        else:
            ticks = part.ticks[part.ticks["position"] >= begin]
            since_ms = int(ticks["time_ms"][0]) if len(ticks) else 0
            since = datetime.fromtimestamp(since_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            what = f"{named} was dropped: history begins behind {partition}/{begin}, {since}"
        return LogDroppedError(what, where=self.folder, fix=fix)

    @property
    def indexed(self) -> Index:
        """The index as it was read last: what is replayed must not lie behind its end."""
        return self._index

    def keep_warm(self, keep: int) -> Cut:
        """Keep an image and a branch of each partition from now on; gives where they stand.

        Forks that begin among the last `keep` records of a partition then read no snapshot and
        make no image: they take as long as what is behind their point. A partition takes twice its
        image and 200 to 330 bytes for each of these records. `follow` brings them on. A partition
        of which records are lost stays cold.
        """
        self._followed = self.head()
        for number in self.sources:
            if not self._index.of[number].lost:
                self._warm_up(number, self._followed[number], keep)
        return dict(self._followed)

    def follow(self) -> Cut:
        """Bring all warm partitions to the greatest consistent cut of what the logs hold.

        Partitions that a fork stands on stay where they are, as long as its replay lives. Raises
        ReplayError HG1521 for a log whose records are refused.
        """
        messages = Messages(self.index(), self._followed)
        self._followed = cut = messages.shrink(self._index.ends())
        for number, warm in self.warm.items():
            if warm.lent:
                continue
            part, (players, edges) = self._index.of[number], self._room[number]
            if len(part.players) > players or part.edges_added > edges:
                self._warm_up(number, cut[number], warm.keep)
            warm.follow(cut[number])
        return dict(cut)

    def _warm_up(self, number: int, position: int, keep: int) -> None:
        part, source = self._index.of[number], self.sources[number]
        # From there on the records are kept as well, and the journal covers them.
        begin = max(position - keep, part.begin)
        head = self.engine_at(number, begin, journal=2 * keep, spare=WARM_SPARE)
        self._room[number] = (len(part.players) + WARM_SPARE, part.edges_added + WARM_SPARE)
        log = self.warm[number].log if number in self.warm else source.log
        if not isinstance(log, Growing):
            raise TypeError(f"the log of partition {number} cannot be followed: {type(log)}")
        warm = Warm(log, head, keep=keep, branch_journal=JOURNAL)
        warm.follow(position)
        self.warm[number], self.sources[number] = warm, replace(source, log=warm)

    def messages(self) -> Messages:
        """Give what went over the borders."""
        return Messages(self.index())

    def head(self) -> Cut:
        """Give the greatest consistent cut of what the logs hold now."""
        return self.messages().shrink(self._index.ends())

    def engine_at(
        self,
        partition: int,
        position: int,
        watch: Callable[[Engine], Any] | None = None,
        *,
        journal: int = 0,
        spare: int = SPARE,
    ) -> Engine:
        """Give an engine that stands at a position: newest snapshot and the log behind it.

        `watch` is called after each batch; `journal` is the engine's, and `spare` its room for
        players and added edges beyond those of the log. Raises LogError, UsageError for a position
        that the log has not.
        """
        engine = self.start(partition, position, journal, spare)
        self.bring_on(partition, engine, position, watch)
        part = self._index.of[partition]
        if part.lost and part.first <= position <= part.end:
            engine.seek(position)  # it may be that of a record that is lost
        if engine.position != position:
            what = f"partition {partition} has no position {position}: {engine.position} is its end"
            raise UsageError(what, fix="name a position that its log holds")
        return engine

    def bring_on(
        self,
        partition: int,
        engine: Engine,
        position: int,
        watch: Callable[[Engine], Any] | None = None,
    ) -> None:
        """Let an engine take what its partition's log holds up to a position; see `engine_at`."""
        for records in self.sources[partition].records(engine.position + 1, position):
            engine.advance(records.rows, records.positions)
            if watch is not None:
                watch(engine)

    def start(self, partition: int, upto: int, journal: int = 0, spare: int = SPARE) -> Engine:
        """Give an engine at the newest snapshot at or before a position, or at position 0.

        Raises LogDroppedError when there is no such snapshot and the log's beginning was dropped.
        """
        source, part = self.sources[partition], self._index.of[partition]
        if part.end < max(upto, 1):
            part = self.index().of[partition]
        found = None if source.directory is None else newest_snapshot(source.directory, upto)
        players, edges = len(part.players) + spare, part.edges_added + spare
        if found is not None:
            with contextlib.suppress(ValueError):  # an image of another version: the log is there
                room = {"players": players, "added_edges": edges, "journal": journal}
                return taken_up(found, source.world.world_id, **room)
        if source.begin()[1] > 1:
            raise self.dropped(partition, upto)
        players, edges = min(players, PLAYERS_MOST), min(edges, ADDED_MOST)
        return Engine(source.world, players=players, fields=1, added_edges=edges, journal=journal)

    def place(self, partition: int, node: int) -> tuple[int, int] | None:
        """Give x and y of a node, None in a world without positions."""
        world = self.sources[partition].world
        x, y = getattr(world, "x", None), getattr(world, "y", None)
        if x is None or y is None or not np.size(x):
            return None
        return int(x[node]), int(y[node])


def _check_needed(log: Log, end: int) -> None:
    for position in log.without - log.needed:
        if position <= end:
            what = f"{log.partition}/{position} can be read: it is not passed over"
            fix = f"take it out with an edit: fork edit NAME drop {log.partition}/{position}"
            raise ForkError(what, where=log.directory, fix=fix, code="HG1736")


def _directories(layout: Layout) -> dict[int, Path]:
    """The directories of actors by partition."""
    if (layout.folder / "log").is_dir():
        return {_partition_of(layout.folder): layout.folder}
    named = {path: _ACTOR.fullmatch(path.name) for path in sorted(layout.folder.glob("actor-*"))}
    several = {int(match[1]): path for path, match in named.items() if match}
    found = several or {0: layout.actor}
    for directory in found.values():
        if not (directory / "log").is_dir():
            there = layout.folder.is_dir()
            what = "there is no log in this folder" if there else "there is no such folder"
            fix = "name the folder of huntgraph serve with --dir"
            raise UsageError(what, where=layout.folder, fix=fix)
    return found


def _partition_of(directory: Path) -> int:
    """The partition that an actor's own directory belongs to, by its first segment's header."""
    segments = sorted((directory / "log").glob("segment-*.log"))
    if not segments:
        return 0
    with segments[0].open("rb") as file:
        return int.from_bytes(file.read(12)[10:12], "little")
