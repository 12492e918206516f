"""The model: a partition that applies records (rules, section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huntgraph.model import routes
from huntgraph.model.answer import Answer
from huntgraph.model.arrivals import arrival
from huntgraph.model.borders import handed_on, tell_moved
from huntgraph.model.corrections import correction, fenced
from huntgraph.model.edges import edge_record
from huntgraph.model.grants import grant
from huntgraph.model.hashing import bare_hash, state_hash
from huntgraph.model.hunts import hunt_record, run_tick
from huntgraph.model.moves import DEEDS, Fields, check_enter, take
from huntgraph.model.notices import notice
from huntgraph.model.outbox import Border
from huntgraph.model.state import NO_HUNT, NO_STAGE, Partition, Player, Refused
from huntgraph.schema import (
    ARRIVAL,
    CORRECTION,
    MOVE,
    NONE,
    NOTICE,
    RULE,
    Code,
    Event,
    Flag,
    Kind,
    State,
)

Weights = NDArray[np.uint16]
Distances = NDArray[np.int64]
Guidance = tuple[int, int]

RULE_KINDS = range(Kind.HUNT_BEGIN, Kind.HUNT_PUBLISH + 1)
EDGE_KINDS = range(Kind.EDGE_CLOSE, Kind.EDGE_ADD + 1)
CORRECTIONS = range(Kind.FENCE, Kind.SETTLE + 1)
LAYOUTS: dict[int, np.dtype[np.void]] = {
    Kind.ARRIVE: ARRIVAL,
    Kind.NOTICE: NOTICE,
    **dict.fromkeys(RULE_KINDS, RULE),
    **dict.fromkeys(CORRECTIONS, CORRECTION),
}
"""Layouts of the kinds that have not that of a move."""
HUNT_KINDS = range(Kind.HUNT_BEGIN, Kind.HUNT_CLOSE + 1)


class Model(Partition):
    """One partition over a world's arrays.

    Args:
        first: row starts, u32, shape (nodes + 1,).
        head: heads of the slots, u32, shape (edges,), sorted in each row.
        cost: base costs, u16, shape (edges,), 0 for an absent slot.
        players: capacity of the player table.
        added: capacity for added slots, two for an edge.
        border: the halo, for a part of a greater world.
    """

    def __init__(
        self,
        first: NDArray[np.uint32],
        head: NDArray[np.uint32],
        cost: Weights,
        players: int = 1024,
        added: int = 2048,
        border: Border | None = None,
    ) -> None:
        super().__init__(first, head, cost, added, border)
        self.players_max = players

    def apply(self, record: bytes | np.void) -> Answer:
        """Applies one record of 64 bytes; answers as the engine must, but for guidance."""
        raw = record if isinstance(record, bytes) else record.tobytes()
        layout = LAYOUTS.get(raw[0], MOVE)
        values = np.frombuffer(raw, layout)[0].item()
        fields: Fields = dict(zip(layout.names or (), values, strict=True))
        self.events = []
        answer = Answer(kind=raw[0], echo=fields.get("echo", 0))
        if raw[0] in CORRECTIONS:
            correction(self, fields, answer)
        elif self.correction and raw[0] != Kind.HASH:
            fenced(self, fields, answer)
        elif raw[0] in DEEDS:
            self._player_record(fields, answer)
        elif raw[0] == Kind.GRANT:
            self._grant(fields, answer)
        elif raw[0] == Kind.ARRIVE:
            arrival(self, fields, answer, room=len(self.players) < self.players_max)
        elif raw[0] == Kind.NOTICE:
            notice(self, fields, answer)
        else:
            self._other_record(fields, answer)
        answer.tick, answer.events = self.tick, self.events
        return answer

    def _player_record(self, move: Fields, answer: Answer) -> None:
        """Steps 1 to 4 of a player's record."""
        answer.player = move["player"]
        try:
            player = self.player(move["player"]) or self._new_player(move)
        except Refused as refusal:
            answer.code = refusal.code
            return
        if move["seq"] == player.seq:
            answer.code, answer.position = player.last_code, player.last_position
            answer.flags |= Flag.DUPLICATE
        elif move["seq"] < player.seq:
            answer.code = Code.DUPLICATE
            answer.flags |= Flag.DUPLICATE
        elif player.away and move["kind"] != Kind.STRIKE:
            answer.code = Code.MOVED
        elif move["seq"] > player.seq + 1:
            answer.code = Code.SEQ_GAP
        else:
            take(self, player, move, answer)
        if answer.receipt is not None:
            answer.flags |= Flag.RECEIPT
        self._tell_player(player, answer)

    def _grant(self, record: Fields, answer: Answer) -> None:
        """A GRANT."""
        answer.player = record["player"]
        try:
            self._tell_player(grant(self, record, answer), answer)
        except Refused as refusal:
            answer.code = refusal.code

    def _tell_player(self, player: Player, answer: Answer) -> None:
        """What every answer about a known player says."""
        answer.seq, answer.node, answer.score = player.seq, player.node, player.score
        answer.stage, answer.target = self._target_of(player)
        tell_moved(self, player, answer)

    def _new_player(self, move: Fields) -> Player:
        """Makes a slot for a first ENTER, or one that was struck."""
        struck = move["kind"] == Kind.STRIKE and move["seq"] == 1
        if move["kind"] != Kind.ENTER and not struck:
            raise Refused(Code.UNKNOWN_PLAYER)
        if move["seq"] != 1:
            raise Refused(Code.SEQ_GAP)
        if not struck:
            check_enter(self, None, move)
        if len(self.players) >= self.players_max:
            raise Refused(Code.PLAYERS_FULL)
        self.slot_of[move["player"]] = len(self.players)
        self.players.append(Player(move["player"]))
        return self.players[-1]

    def _target_of(self, player: Player) -> tuple[int, int]:
        """Stage and node; none when its hunt is not under way or has been replaced since."""
        if player.hunt != NO_HUNT and player.target != NO_STAGE:
            hunt = self.hunts[player.hunt]
            running = hunt.state in (State.OPEN, State.PAUSED) and hunt.edition == player.edition
            if running and player.target < len(hunt.stages):
                return player.target, hunt.stages[player.target].node
        return NO_STAGE, NONE

    def _other_record(self, move: Fields, answer: Answer) -> None:
        """Edge records, hunt records, TICK and HASH."""
        kind, before = move["kind"], self.position
        wrong_hash = kind == Kind.HASH and move["a"] != self.state_hash()
        self.position += 1
        try:
            if kind in EDGE_KINDS:
                edge_record(self, move)
            elif kind in HUNT_KINDS:
                hunt_record(self, move)
            elif kind == Kind.HANDED_ON:
                handed_on(self, move)
            elif kind == Kind.TICK:
                self._tick(move)
            elif kind != Kind.HASH:
                raise Refused(Code.BAD_KIND)
        except Refused as refusal:
            answer.code, self.position = refusal.code, before
            return
        answer.position = self.position
        if wrong_hash:
            answer.code = Code.HASH_MISMATCH
            self.note(Event.REFUSED, value=Code.HASH_MISMATCH)

    def _tick(self, move: Fields) -> None:
        """The next tick."""
        if move["arg"] != self.tick + 1:
            raise Refused(Code.BAD_TICK)
        run_tick(self)
        present = sum(player.present for player in self.players)
        self.note(Event.TICKED, value=present, a=self.state_hash())

    def player(self, player_id: int) -> Player | None:
        """The player with this id, None if it never entered."""
        slot = self.slot_of.get(player_id)
        return None if slot is None else self.players[slot]

    def state_hash(self) -> int:
        """The state hash, computed from scratch."""
        return state_hash(self)

    def bare_hash(self) -> int:
        """The state hash without the cells of position and correction."""
        return bare_hash(self)

    def routing(self) -> Weights:
        """Weights of all slots, shape (E,), 65535 where closed: for guidance."""
        return routes.routing_weights(self)

    def distances(self, target: int, weights: Weights | None = None) -> Distances:
        """Least distances of all nodes to `target`, on routing weights (default: the live ones)."""
        return routes.distances(self, target, self.routing() if weights is None else weights)

    def guidance(self, player: Player, weights: Weights | None = None) -> Guidance | None:
        """(next node, distance) of a player on routing weights; None without a target."""
        _, target = self._target_of(player)
        if target == NONE:
            return None
        weights = self.routing() if weights is None else weights
        away = self.distances(target, weights)
        return routes.next_node(self, player.node, away, weights), int(away[player.node])
