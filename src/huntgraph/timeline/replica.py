"""`Replica`: one partition's pair of images, the base at the head and a fork's branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine, PlayerState, Rows
from huntgraph.errors import ForkError, ReplayError
from huntgraph.schema import EVENT
from huntgraph.timeline import tables
from huntgraph.timeline.heated import RULE, Heated
from huntgraph.timeline.tables import Differences

__all__ = ["JOURNAL", "Replica", "take_log"]

JOURNAL: Final = 1 << 16
"""Entries of an image's journal: what a fork goes back and an undo takes back at most."""

Cells = tuple[NDArray[np.uint64], NDArray[np.uint64]]


class Replica:
    """The base image follows the log to the head; the branch image is what a fork makes of it.

    Both live in this process, and no actor knows of them. `open_at` gives an engine with a journal
    that stands at a position of the partition's history; it is asked once at first, and again for
    a fork from further back than the base's journal reaches.
    """

    def __init__(
        self, world: Rows, partition: int, open_at: Callable[[int], Engine], position: int = 0
    ) -> None:
        self.world, self.partition = world, partition
        self._open_at = open_at
        self._base = open_at(position)
        self._branch: Engine | None = None
        self._before: int | None = None
        self._akin = self._marked = False
        self._events: list[NDArray[np.void]] = []

    @property
    def position(self) -> int:
        """Position of the base."""
        return self._base.position

    @property
    def image_bytes(self) -> int:
        """Bytes of one image."""
        return self._base.image_bytes

    def follow(
        self, rows: NDArray[np.uint8], positions: NDArray[np.uint64], *, torn: bool = False
    ) -> tuple[NDArray[np.uint64], NDArray[np.void]]:
        """Take the next records of the log into the base; give what was seen, and wins (EVENT).

        Raises ReplayError HG1521 at the first record that does not behave as it did, unless the
        partition is `torn`: behind lost records it cannot.
        """
        return take_log(self._base, self.partition, rows, positions, torn=torn)

    def reopen(self, position: int) -> None:
        """Open the base anew: from a snapshot behind lost records, if there is one."""
        self._base, self._akin = self._open_at(position), False

    def base_parcels(self, partition: int) -> NDArray[np.uint8]:
        """Give the base's parcels that a partition has not acknowledged, shape (n, 64)."""
        return self._base.parcels(partition)

    def mark(self) -> int:
        """Tell where the branch stands, for `back_to`; from here on all is undoable."""
        self._marked = True
        return self._forked().mark()

    def back_to(self, mark: int) -> None:
        """Take back all that was replayed on the branch since a mark."""
        self._forked().undo_to(mark)
        self._marked = False

    def fork_at(self, position: int) -> None:
        """Let the branch stand where the base stood at a position, and forget the last branch."""
        if self._branch is None or not self._akin:
            self._branch, self._akin = self._base.branch(JOURNAL), True
        try:
            self._branch.go_back(self._base, position)
        except ValueError:
            self._branch, self._akin = self._open_at(position), False
        self._before, self._events, self._marked = None, [], False

    def correct(self, rows: NDArray[np.uint8]) -> NDArray[np.void]:
        """Let the branch be the base as it stands, with a correction made to it.

        `rows` are its records, shape (n, 64); gives their updates (dtype UPDATE).
        """
        branch = self._base.branch(JOURNAL)
        self._branch, self._akin, self._before, self._marked = branch, True, None, False
        updates = branch.replay(rows, np.full(len(rows), self.position + 1, np.uint64))
        branch.events()  # nobody won anything by it
        return updates

    def replay(
        self,
        rows: NDArray[np.uint8],
        positions: NDArray[np.uint64],
        *,
        undoable: bool = False,
    ) -> NDArray[np.void]:
        """Apply records to the branch, each at its position; give their updates (dtype UPDATE).

        `rows` has shape (n, 64), `positions` (n,). `undoable` lets `undo_last` take them back.
        """
        branch = self._forked()
        self._before = branch.mark() if undoable else None
        head = self._base if self._akin else None
        undoable |= self._marked
        updates = branch.replay(rows, positions, wins=True, head=head, undoable=undoable)
        branch.receipts()
        self._events.append(branch.events())
        return updates

    def see(self, rows: NDArray[np.uint8], positions: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Apply records to the branch as `replay` does; give what was seen of each answer.

        They cannot be taken back.
        """
        branch = self._forked()
        seen, _ = branch.see(rows, positions, head=self._base if self._akin else None)
        self._before = None
        self._events.append(branch.events())
        return seen

    def undo_last(self) -> None:
        """Take back the last `replay`, which must have been undoable."""
        if self._before is None:
            what = "the last replay was not undoable"
            raise ForkError(what, fix="replay it with undoable=True", code="HG1740")
        self._forked().undo_to(self._before)
        self._before = None
        self._events.pop()

    def seek(self, position: int) -> None:
        """Let the branch stand at a position, whatever was applied."""
        self._forked().seek(position)

    def branch_parcels(self, partition: int) -> NDArray[np.uint8]:
        """Give the branch's parcels that a partition has not acknowledged, shape (n, 64)."""
        return self._forked().parcels(partition)

    def branch_peer(self, partition: int) -> tuple[int, int, int]:
        """Give sent, acked and taken of the branch towards a partition."""
        return self._forked().peer(partition)

    def branch_player(self, player: int) -> PlayerState | None:
        """Give a player of the branch, None when it never entered there."""
        return self._forked().player(player)

    def events(self) -> NDArray[np.void]:
        """Give the branch's events of treasures won since the last call (dtype EVENT)."""
        taken, self._events = self._events, []
        return np.concatenate(taken) if taken else np.zeros(0, EVENT)

    def head_hash(self) -> int:
        """Give the state hash of the base."""
        return self._base.state_hash()

    def branch_hash(self) -> int:
        """Give the state hash of the branch."""
        return self._forked().state_hash()

    def changes(self) -> Differences:
        """Give all cells in which branch and base differ, each by its own state's name.

        `huntgraph.timeline.slots.differences` gives them by what they are of.
        """
        if not self._akin:
            return tables.compare(self._base.cells(), self._forked().cells())
        names, old, new = self._forked().changes(self._base)
        order = np.argsort(names, kind="stable")
        return Differences(names[order], old[order], new[order])

    def cells(self, *, branch: bool) -> Cells:
        """Give names and words of all cells of the branch or the base."""
        return (self._forked() if branch else self._base).cells()

    def hunt_cells(self, *, branch: bool) -> Cells:
        """Give names and words of all cells but those of edges and players."""
        return (self._forked() if branch else self._base).cells(edges=False, players=False)

    def players(self, *, branch: bool) -> NDArray[np.uint64]:
        """Give the words of the players of the branch or the base by slot, shape (players, 7)."""
        return (self._forked() if branch else self._base).players()

    def base_ends(self, edges: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Give tail and head of edges of the base, by their ids."""
        return self._base.edges(edges)

    @property
    def base_slots(self) -> int:
        """Slots of edges that the base has, absent ones too."""
        return self._base.edge_slots

    @property
    def base_players(self) -> int:
        """Slots of players that the base has."""
        return self._base.player_slots

    def weights(self, *, branch: bool) -> NDArray[np.uint16]:
        """Give the weight of every slot of the branch or the base, by edge id."""
        return (self._forked() if branch else self._base).weights()

    def heated(self) -> Heated:
        """Give the traffic rule and the warm edges of the base."""
        rule, _ = self._base.words(RULE)
        return Heated.of(rule, *self._base.cells(players=False))

    def _forked(self) -> Engine:
        if self._branch is None:
            what = f"partition {self.partition} has no branch yet"
            raise ForkError(what, fix="replay the fork first", code="HG1741")
        return self._branch


def take_log(
    engine: Engine,
    partition: int,
    rows: NDArray[np.uint8],
    positions: NDArray[np.uint64],
    *,
    torn: bool = False,
) -> tuple[NDArray[np.uint64], NDArray[np.void]]:
    """Let an engine take the next records of its log; see `Replica.follow`."""
    seen, strange = engine.see(rows, positions)
    if strange is not None and not torn:
        what = f"the replay differs from the log at {partition}/{positions[strange]}"
        raise ReplayError(what, fix="run huntgraph verify", code="HG1521")
    return seen, engine.events()
