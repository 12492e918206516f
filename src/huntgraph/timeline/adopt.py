"""Adopting a fork: what a correction changes so that the head becomes the fork, and its commit."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.cluster.control import Status
from huntgraph.errors import CommitError, ForkError
from huntgraph.timeline import tables
from huntgraph.timeline.audit import Effect, Entry
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.commit import CatchUp, Head, Order, Report, commit
from huntgraph.timeline.diff import make_diff
from huntgraph.timeline.edits import describe
from huntgraph.timeline.fork import Fork, Run
from huntgraph.timeline.live import ready_to_commit, written
from huntgraph.timeline.points import cut_text
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.tables import Differences

__all__ = ["adopt", "changes_to_adopt"]

TRIES: Final = 3
"""How often a commit is tried when rewards change while it is made."""

NOWHERE: Final = (0, 0, 0, 255 << 8 | 255 << 16, 0)
"""Words 1 to 4 and 6 of a player who never came here: at node 0, in no hunt, not present."""


class _MovedError(CommitError):
    """Rewards changed between the diff and the fence: the plan is no longer the right one."""

    default_code = "HG1616"


async def adopt(
    fork: Fork,
    *,
    reason: str,
    expect: str | None = None,
    who: str | None = None,
    report: Report | None = None,
) -> Entry:
    """Commit a fork in all partitions, whose actors must run; gives its entry in the audit trail.

    `expect` is the base hash of the diff that was decided on: raises ForkError HG1760 when the fork
    was last compared with another state. The fork is replayed to the very head while moves are
    held. Raises CommitError when live was left as it was, ActorError when an actor does not answer.
    """
    history = fork.history
    if expect is not None and make_diff(fork.run).base_hash != expect:
        what = "the fork was compared with another state than the one expected"
        raise ForkError(what, fix="look at its diff again", code="HG1760")
    sockets = await ready_to_commit(history)
    for left in reversed(range(TRIES)):
        fork.catch_up()
        order, stakes = _order(fork, reason, who or getpass.getuser()), _stakes(fork.run)
        # Making the plan took its time: what is left to replay while moves are held is little.
        fork.catch_up()
        try:
            catch_up = _catch_up(fork, stakes)
            return await commit(history.folder, sockets, catch_up, order, report=report)
        except _MovedError:
            if not left:
                raise
    raise AssertionError("a last try ends the loop")


def _order(fork: Fork, reason: str, who: str) -> Order:
    return Order(
        who=who,
        why=reason,
        point=cut_text(fork.recipe.point),
        edits=tuple(describe(edit) for edit in fork.recipe.edits),
        policy=fork.recipe.claims,
        effects=_effects(fork.run),
    )


def _effects(run: Run) -> tuple[Effect, ...]:
    return tuple(
        Effect(e.id, f"{e.do} the reward of stage {e.stage} of hunt {e.hunt}: player {e.player}")
        for e in make_diff(run).rewards
    )


def _stakes(run: Run) -> bytes:
    """What rewards follow from: all differing words of progress and of who won what."""
    digest = sha256()
    for number, replica in run.replicas.items():
        found = replica.changes()
        tag, index = tables.tag_of(found.names), tables.index_of(found.names)
        progress = (tag == tables.PLAYER) & (index % np.uint64(8) == 1)
        wins = (tag == tables.STAGE) & (index % np.uint64(16) > 10)
        some = progress | wins
        digest.update(number.to_bytes(8, "little"))
        for column in found:
            digest.update(column[some].tobytes())
    return digest.digest()


def _catch_up(fork: Fork, stakes: bytes) -> CatchUp:
    async def catch_up(statuses: Mapping[int, Status]) -> Mapping[int, Head]:
        cut = {number: status.position for number, status in statuses.items()}
        await written(fork.history, cut)
        run = fork.catch_up(cut)
        if _stakes(run) != stakes:
            what = "rewards changed while the fork was committed"
            raise _MovedError(what, fix="nothing has changed; commit again")
        replicas = run.replicas.items()
        return {
            n: Head(cut[n], replica.head_hash(), changes_to_adopt(replica))
            for n, replica in replicas
        }

    return catch_up


def changes_to_adopt(replica: Replica) -> Changes:
    """Give the changes that a commit makes to a partition's head.

    A player is the one of its id: where slots differ, the branch's player goes into its slot of
    the base, and one that the base has not into the next free slot. What no correction may set
    stays as it is: clock, position, receipts, borders, and the game servers' part of a player.
    """
    found = replica.changes()
    mine = tables.tag_of(found.names) == tables.PLAYER
    same = not (mine & (tables.index_of(found.names) % np.uint64(8) == 0)).any()
    if same:  # every slot holds the same player in both
        players, slots = replica.base_players, replica.base_slots
        return Changes.between(*found, players=players, slots=slots)
    others = ~mine
    parts = (Differences(*(column[others] for column in found)), _players(replica))
    names, old, new = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    players = len(_words(replica, branch=False))
    return Changes.between(names, old, new, players=players, slots=replica.base_slots)


def _players(replica: Replica) -> Differences:
    """Differing words of players, in the slots of the base."""
    base, fork = (_words(replica, branch=branch) for branch in (False, True))
    slots = {int(row[0]): slot for slot, row in enumerate(base)}
    newcomers = sum(int(row[0]) not in slots for row in fork)
    old = np.concatenate([base, np.zeros((newcomers, 8), np.uint64)])
    new = old.copy()
    free = len(base)
    for row in fork:
        slot = slots.pop(int(row[0]), None)
        if slot is None:
            slot, free = free, free + 1
        new[slot] = row
    for slot in slots.values():
        new[slot, [1, 2, 3, 4, 6]] = np.array(NOWHERE, np.uint64)
    differ = old != new
    differ[len(base) :, :7] = True  # cells that are new count when they are 0 too
    at, word = np.nonzero(differ)
    names = np.uint64(tables.name_of(tables.PLAYER, 0)) | (at * 8 + word).astype(np.uint64)
    return Differences(names, old[at, word], new[at, word])


def _words(replica: Replica, *, branch: bool) -> NDArray[np.uint64]:
    """The words of all players, shape (players, 8)."""
    names, words = replica.small_cells(branch=branch)
    mine = tables.tag_of(names) == tables.PLAYER
    index = tables.index_of(names[mine]).astype(np.intp)
    grid = np.zeros((int(index.max()) // 8 + 1 if len(index) else 0, 8), np.uint64)
    grid[index // 8, index % 8] = words[mine]
    return grid
