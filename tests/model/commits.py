"""Commits in the middle of random histories, and what a plain model makes of them in a fork."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from huntgraph.model import Model
from huntgraph.model.state import Player
from huntgraph.schema import Code
from huntgraph.timeline.audit import Audit, Entry, PartHashes
from huntgraph.timeline.cells import Changes, bare_hash
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import Edit
from huntgraph.timeline.fence import fence, settle
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.heated import RULE
from huntgraph.timeline.history import History
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replay import Claims
from huntgraph.timeline.slots import changes_to_adopt
from huntgraph.timeline.undo import Live, asked, ways_back
from tests.model.histories import acknowledge, history_of, played
from tests.model.realm import Realm


@dataclass
class Story:
    """A realm that is played, with commits on the way; the trail of these is in a folder."""

    realm: Realm
    folder: Path
    commits: list[Entry] = field(default_factory=list)
    made: dict[str, Mapping[int, Changes]] = field(default_factory=dict)
    """What each of them changed, by id and partition."""
    spared_on_disk: bool = True
    """Planted: False lets a commit be decided while the past of partitions in which it changes
    nothing is not on disk."""

    @property
    def history(self) -> History:
        return history_of(self.realm, self.folder)

    def commit(
        self,
        point: Cut,
        edits: tuple[Edit, ...] = (),
        claims: Claims = "recompute",
        without: tuple[str, ...] = (),
    ) -> Entry:
        """Commit a fork as `huntgraph.timeline.commit` does it, without actors."""
        recipe = Recipe("f", point, edits, claims, without)
        run = Fork(self.history, recipe).replay(claims)
        changes = {n: changes_to_adopt(replica) for n, replica in run.replicas.items()}
        return self._correct(changes, kind="commit", recipe=recipe.to_dict())

    def undo(self, commit: Entry) -> Entry:
        """Undo a commit as `huntgraph.timeline.undo` does it, without actors."""
        made, history, live = self.made[commit.id], self.history, {}
        held = {part.partition: part.position for part in commit.parts}
        for number, each in made.items():
            engine = history.engine_at(number, history.head()[number])
            before = history.engine_at(number, held[number])
            other = bool((engine.words(RULE)[0] != before.words(RULE)[0]).any())
            live[number] = Live(engine.state_hash(), *engine.words(asked(each)), other)
        changes, _ = ways_back(made, live)
        return self._correct(changes, kind="undo", of=commit.id)

    def _correct(self, changes: Mapping[int, Changes], **how: Any) -> Entry:
        number, parts = len(self.commits) + 0xC0, []
        for shore in self.realm.shores:
            partition, model = shore.part.partition, shore.model
            mine = changes[partition]
            held, before = model.position, bare_hash(model.state_hash(), model.position)
            after = mine.hash_after(before)
            rows = [fence(number, model.state_hash()), mine.rows(number), settle(number, after)]
            if len(mine):  # nothing is told where nothing changes
                codes = shore.apply([row.tobytes() for some in rows for row in some])
                assert set(codes) == {Code.OK}
            if len(mine) or self.spared_on_disk:
                shore.durable = len(shore.log)
            parts.append(PartHashes(partition, held, f"{before:016x}", f"{after:016x}"))
        entry = Entry(
            id=f"{number:016x}", at_ms=0, who="a tester", why="a test", parts=tuple(parts), **how
        )
        self.commits.append(Audit(self.folder).append(entry))
        self.made[self.commits[-1].id] = changes
        return self.commits[-1]

    def go_on(self, steps: int) -> None:
        """Play on until nothing is under way."""
        for _ in range(steps):
            self.realm.step()
        self.realm.settle()
        acknowledge(self.realm)


def held(entry: Entry) -> Cut:
    """Where a commit had all partitions wait."""
    return {part.partition: part.position for part in entry.parts}


def told(*entries: Entry) -> list[str]:
    """Those that logs tell of: one that changes nothing, as all has been changed since, is not."""
    return [e.id for e in entries if any(part.before != part.after for part in e.parts)]


def begun(seed: int, folder: Path, steps: int = 700) -> Story:
    """A story of its own, quiet at its end."""
    return Story(played.__wrapped__(seed, steps, quiet=True), folder)


def some_point(history: History, rng: Random) -> Cut:
    """Some consistent cut in the first half."""
    wild = {number: rng.randint(0, end // 2) for number, end in history.head().items()}
    return history.messages().shrink(wild)


def adopted(base: Model, branch: Model) -> Model:
    """What a commit makes of a hunt: the fork's, with clock, receipts and borders of the hunt."""
    found = deepcopy(base)
    _adopt_edges(found, branch)
    found.traffic = branch.traffic
    found.cost_min, found.cost_max = branch.cost_min, branch.cost_max
    known = {player.id for player in branch.players}
    for player in branch.players:
        _adopt_player(found, player)
    for player in found.players:
        if player.id not in known:
            vars(player).update(vars(Player(player.id)) | _own(player))
    return found


def _adopt_edges(found: Model, branch: Model) -> None:
    theirs = list(zip(branch.tail.tolist(), branch.head.tolist(), strict=True))
    for edge in range(branch.world_slots, len(theirs), 2):
        if found.find_slot(*theirs[edge]) is None:
            found.add_slots(*theirs[edge])
    places = {ends: edge for edge, ends in enumerate(theirs)}
    for edge, ends in enumerate(zip(found.tail.tolist(), found.head.tolist(), strict=True)):
        at = places.get(ends)
        found.cost[edge] = 0 if at is None else branch.cost[at]
        found.heat[edge] = 0 if at is None else branch.heat[at]
        found.closed[edge] = at is None or branch.closed[at]
    found.hunts = deepcopy(branch.hunts)
    for hunt in found.hunts:
        hunt.edges = [found.find_slot(*theirs[edge]) or 0 for edge in hunt.edges]


def _adopt_player(found: Model, player: Player) -> None:
    live = found.player(player.id)
    if live is None:
        found.slot_of[player.id] = len(found.players)
        found.players.append(live := Player(player.id, seq=player.seq))
    elif live.away and not player.away:
        live.seq = max(live.seq, player.seq)
    vars(live).update(vars(player) | _own(live))


def _own(player: Player) -> dict[str, int]:
    """What belongs to a player's game server."""
    return {name: getattr(player, name) for name in ("seq", "last_code", "last_position")}
