"""The in-process engine: the same core that the actor runs, driven by NumPy batches.

>>> import numpy as np
>>> from huntgraph.world import generate
>>> engine = Engine(generate(edges=20_000, seed=1))
>>> entered = engine.apply(move(Kind.ENTER, player=7, seq=1, to=0))
>>> int(entered["node"][0]), int(entered["position"][0])
(0, 1)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core
from huntgraph.errors import UsageError, did_you_mean
from huntgraph.schema import EVENT, MOVE, RECEIPT, UPDATE, Kind

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Engine", "PlayerState", "Records", "move", "ticks"]

Records = NDArray[np.void]
Words = NDArray[np.uint64]
_NONE: Final = np.zeros(0, np.uint32)
_FIELDS: Final = MOVE.names or ()
NO_HUNT: Final = 0xFFFF
"""`hunt` of a move that names no hunt."""


class Rows(Protocol):
    """What an engine needs of a world: `huntgraph.world.World` fits.

    A part of a greater world also has `owner` and `twin`, shape (nodes,): the partition that each
    node belongs to, its own ones first, and the node's number there.
    """

    @property
    def first(self) -> NDArray[np.uint32]:
        """Start of each node's row, shape (nodes + 1,)."""

    @property
    def head(self) -> NDArray[np.uint32]:
        """Head of each slot, shape (edges,)."""

    @property
    def cost(self) -> NDArray[np.uint16]:
        """Base cost of each slot, 0 = absent."""

    @property
    def world_id(self) -> int:
        """The world's id."""


@dataclass(frozen=True, slots=True)
class PlayerState:
    """One player as the image holds it; `hunt` and `target` are 255 for none."""

    id: int
    seq: int
    node: int
    score: int
    hunt: int
    team: int
    target: int
    progress: int
    present: bool
    away: int
    """0, or 1 + the partition that it was handed to."""


def move(kind: Kind, **fields: int | Iterable[int]) -> Records:
    """Give moves of one kind; every other field is a number or an array, all broadcast together.

    Fields are those of the `move` record (`from_` is `from`); `hunt` is none unless given.
    Shape (n,), dtype MOVE. Raises UsageError for a field that a move has not, or that cannot hold
    a value.

    >>> move(Kind.GO, player=[7, 8], seq=2, from_=[3, 5], to=4)["to"]
    array([4, 4], dtype=uint32)
    """
    count = max((np.size(value) for value in fields.values()), default=1)  # type: ignore[arg-type]
    moves = np.zeros(count, MOVE)
    moves["kind"], moves["hunt"] = kind, NO_HUNT
    for name, value in fields.items():
        field = name.rstrip("_")
        if field not in _FIELDS:
            what = f'a move has no field "{name}"'
            raise UsageError(what, fix=did_you_mean(field, _FIELDS))
        try:
            moves[field] = value
        except (OverflowError, TypeError, ValueError) as error:
            what = f"{name} of a move is not to be had from {value!r}: {error}"
            raise UsageError(what, fix=f"give whole numbers of {MOVE[field]}") from error
    return moves


def ticks(first: int, count: int = 1, time_ms: int = 0) -> Records:
    """Give `count` tick records, the first with number `first`. Shape (count,), dtype MOVE."""
    return move(Kind.TICK, arg=np.arange(first, first + count), time_ms=time_ms)


class Engine:
    """A partition in this process. Not for several threads at once.

    `players`, `fields` and `added_edges` (edges that can be added to the running world) are
    capacities (see `docs/reference/rules.md`); memory is taken once. With a `journal` of so many
    entries (a move takes one, of 64 bytes) the engine can go back in its history, and branches of
    it can; it has no guidance then. With `prices="auto"` the edges of a world with few costs are
    told in half the memory, and can have `schema.PRICES` different ones at a time.

    Raises ValueError when the world's rows are malformed or a capacity is out of range.
    """

    def __init__(
        self,
        world: Rows,
        *,
        players: int = 12_500,
        fields: int = 8,
        added_edges: int = 1024,
        journal: int = 0,
        prices: Literal["auto", "any"] = "any",
    ) -> None:
        self._core = _core.Engine(
            np.ascontiguousarray(world.first, np.uint32),
            np.ascontiguousarray(world.head, np.uint32),
            np.ascontiguousarray(world.cost, np.uint16),
            players=players,
            fields=fields,
            added_edges=added_edges,
            journal=journal,
            any_prices=prices == "any",
            world_id=world.world_id,
            **_halo(world),
        )
        self._receipts: list[Records] = []

    @classmethod
    def restore(
        cls,
        saved: bytes,
        *,
        world_id: int = 0,
        journal: int = 0,
        players: int | None = None,
        added_edges: int | None = None,
    ) -> Self:
        """Take up a state that `save` gave, with room for so many players and added edges.

        Without these the room is what it was. Raises ValueError when it is not a state of this
        world and version, or when more are in use than there is to be room for.
        """
        room = {"players": players, "added_edges": added_edges}
        return cls._of(_core.Engine.restore(saved, world_id=world_id, journal=journal, **room))

    @classmethod
    def _of(cls, core: _core.Engine) -> Self:
        engine = cls.__new__(cls)
        engine._core, engine._receipts = core, []
        return engine

    def __repr__(self) -> str:
        slots = f"{self.player_slots:,} of players, {self.edge_slots:,} of edges"
        return f"<Engine at position {self.position:,}, tick {self.tick:,}; slots: {slots}>"

    def save(self) -> bytes:
        """Give the whole state (not guidance) as bytes."""
        return self._core.save()

    def apply(self, records: NDArray[Any]) -> Records:
        """Apply records in order: any array of 64-byte items (dtype MOVE or RULE).

        Gives one update a record, shape (n,), dtype UPDATE. Receipts of claims that won are kept
        for `receipts`, events for `events`.
        """
        return self._answers(self._core.apply(records))

    def replay(
        self,
        records: NDArray[Any],
        positions: NDArray[np.uint64],
        *,
        wins: bool = False,
        head: Engine | None = None,
        undoable: bool = False,
    ) -> Records:
        """Apply records as `apply` does, each at its own position, shape (n,).

        The engine stands right before a record's position when it is applied, whatever was
        applied before: so a replay that leaves records out or adds some keeps all positions. With
        `wins` only events of treasures won (CLAIMED) are kept. A branch that is given its `head`
        need not look for what that one has found: the same comes out, sooner. A branch keeps
        what records overwrite only when they are `undoable`; another engine always does.
        """
        positions = positions.astype(np.uint64, copy=False)
        core = None if head is None else head._core
        return self._answers(self._core.replay(records, positions, wins, core, undoable))

    def see(
        self, records: NDArray[Any], positions: NDArray[np.uint64], *, head: Engine | None = None
    ) -> tuple[Words, int | None]:
        """Apply records as `replay` with `wins` does, but give only what was seen of each answer.

        That is a word a record, shape (n,), as `huntgraph.timeline.seen.seen_of` gives it; with it
        comes the number of the first record that none of a log can be: it was not taken, or is the
        hash of another state. Receipts are not kept.
        """
        positions = positions.astype(np.uint64, copy=False)
        return self._core.see(records, positions, None if head is None else head._core)

    def _answers(self, rows: NDArray[np.uint8]) -> Records:
        is_receipt = rows[:, 0] == Kind.RECEIPT
        if not is_receipt.any():
            return _as_records(rows, UPDATE)
        self._receipts.append(_as_records(rows[is_receipt], RECEIPT))
        return _as_records(rows[~is_receipt], UPDATE)

    def receipts(self) -> Records:
        """Give the receipts since the last call, in order. Shape (n,), dtype RECEIPT."""
        taken, self._receipts = self._receipts, []
        return np.concatenate(taken) if taken else np.zeros(0, RECEIPT)

    def events(self) -> Records:
        """Give the events since the last call, in order. Shape (n,), dtype EVENT, stamps 0."""
        return _as_records(self._core.events(), EVENT)

    def work(self, operations: int = 1 << 31) -> int:
        """Work on guidance for at most `operations` (settled nodes); give how many were used."""
        return self._core.work(operations)

    def branch(self, journal: int = 1 << 16) -> Self:
        """Give a branch of this engine, its head: a second engine in the same state."""
        return self._of(self._core.branch(journal))

    def go_back(self, head: Engine, position: int) -> None:
        """Make this branch what its head was after the record at `position`.

        Raises ValueError when the head's journal does not reach back so far.
        """
        self._core.go_back(head._core, position)

    def advance(self, records: NDArray[Any], positions: NDArray[np.uint64]) -> int:
        """Apply records as `replay` does, without answers and events; count the refused ones.

        A branch cannot take them back.

        Several threads may do so in several engines at once.
        """
        return self._core.advance(records, np.ascontiguousarray(positions, np.uint64))

    def advance_log(
        self,
        records: NDArray[Any],
        first: int,
        struck: NDArray[np.uint32] | None = None,
        *,
        head: Engine | None = None,
    ) -> int:
        """Apply consecutive records of a log as `advance` does, the first at position `first`.

        `struck` holds numbers of records in rising order: they count as STRIKE, so that they take
        their player's number and do nothing else. `head` is as for `replay`.
        """
        core = None if head is None else head._core
        return self._core.advance_log(records, first, _NONE if struck is None else struck, core)

    def mark(self) -> int:
        """Tell where the journal stands, for `undo_to`."""
        return self._core.mark()

    def undo_to(self, mark: int) -> None:
        """Take back all records since `mark`.

        Raises ValueError when the journal is too short, or something since was not `undoable`.
        """
        self._core.undo_to(mark)

    def changes(self, head: Engine, *, everything: bool = False) -> tuple[Words, Words, Words]:
        """Give all cells in which this branch differs from its head: names, old and new words.

        Those of the borders are left out. A cell that only one of them has is 0 in the other. With
        `everything` all cells are compared, and not only those that either of them has changed.
        """
        return self._core.changes(head._core, everything=everything)

    def cells(
        self, *, edges: bool = True, players: bool = True
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Give names (`tag << 56 | index`) and words of all cells of the state, shape (n,) each.

        Names and words are those of the state hash (`docs/reference/rules.md`, section 8).
        `edges=False` leaves out tags 1 and 10, by far the most, `players=False` tag 2.
        """
        return self._core.cells(edges, players)

    def players(self) -> NDArray[np.uint64]:
        """Give the words of every player's cells (rules, section 8) by slot, shape (players, 7)."""
        return self._core.players().reshape(-1, 7)

    def words(self, names: Words) -> tuple[Words, NDArray[np.bool_]]:
        """Give the words of cells by their names, shape (n,), and whether the state has them."""
        return self._core.words(names)

    def seek(self, position: int) -> None:
        """Set the position of the last record: a replay that leaves records out keeps positions."""
        self._core.seek(position)

    def parcels(self, partition: int) -> NDArray[np.uint8]:
        """Give the parcels that wait for a partition's acknowledgement as rows of 64 bytes."""
        return self._core.parcels(partition)

    def peer(self, partition: int) -> tuple[int, int, int]:
        """Give how many parcels were sent to, acknowledged by and taken from a partition."""
        return self._core.peer(partition)

    def weights(self) -> NDArray[np.uint16]:
        """Give the live weight of every slot by edge id, shape (E,); absent slots are 0.

        E counts the world's slots and then those added since: it grows when edges are added.
        """
        return self._core.weights()

    def closed(self) -> NDArray[np.bool_]:
        """Tell for every slot whether it is closed now (absent ones are), shape (E,)."""
        return self._core.closed()

    def edges(self, ids: Words | None = None) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Give tail and head of every slot by edge id, shape (E,) each; absent slots too.

        With `ids` only of these, in their order. Raises ValueError for one that is not in use.
        """
        return self._core.edges(ids)

    def player(self, player: int) -> PlayerState | None:
        """Give a player's state, None when it never entered."""
        found = self._core.player(player)
        return None if found is None else PlayerState(*found)

    def state_hash(self, *, anew: bool = False) -> int:
        """Give the state hash; `anew` computes it from every cell instead of as kept."""
        return self._core.rehash() if anew else self._core.state_hash()

    @property
    def position(self) -> int:
        """Position of the last record that changed the state."""
        return self._core.position

    @property
    def tick(self) -> int:
        """Current tick."""
        return self._core.tick

    @property
    def epoch(self) -> int:
        """Tick whose weights guidance is worked out for."""
        return self._core.epoch

    @property
    def edge_slots(self) -> int:
        """Slots of edges in use, absent ones too."""
        return self._core.slots[0]

    @property
    def player_slots(self) -> int:
        """Slots of players in use."""
        return self._core.slots[1]

    @property
    def image_bytes(self) -> int:
        """Bytes of the whole image, guidance included."""
        return self._core.sizes[0]

    @property
    def state_bytes(self) -> int:
        """Bytes of the part of the image that is state."""
        return self._core.sizes[1]


def _halo(world: Rows) -> dict[str, Any]:
    """What the core wants to know of a part's halo; nothing of a whole world."""
    owner, twin = getattr(world, "owner", None), getattr(world, "twin", None)
    if owner is None or twin is None:
        return {}
    own_nodes = int(np.count_nonzero(owner == owner[0]))
    return {
        "partition": int(owner[0]),
        "halo_owner": np.ascontiguousarray(owner[own_nodes:], np.uint16),
        "halo_twin": np.ascontiguousarray(twin[own_nodes:], np.uint32),
    }


def _as_records(rows: NDArray[np.uint8], dtype: np.dtype[np.void]) -> Records:
    return np.ascontiguousarray(rows).view(dtype).reshape(-1)
