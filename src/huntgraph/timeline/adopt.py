"""Adopting a fork: what a correction changes so that the head becomes the fork, and its commit."""

from __future__ import annotations

import getpass
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

import numpy as np

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
from huntgraph.timeline.slots import changes_to_adopt, differences
from huntgraph.timeline.tables import Differences

__all__ = ["Change", "Compared", "adopt"]

TRIES: Final = 3
"""How often a commit is tried when rewards change while it is made."""
NEARER: Final = 8
"""How often a fork is brought nearer to the head, at most, before moves are held."""
NEAR: Final = 0.7
"""As near as it gets: the next time would take more than this share of the last."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit changes in a partition whose base and branch have these state hashes."""

    base: int
    branch: int
    changes: Changes
    stakes: bytes


class Compared:
    """Base and branch of each partition, compared anew only where one of them went on.

    So little is left to be compared while moves are held: what came since `_come_near`.
    """

    def __init__(self) -> None:
        self._known: dict[int, Change] = {}

    def change(self, number: int, replica: Replica) -> Change:
        """Compare a partition's base and branch, or tell what came of it the last time."""
        base, branch = replica.head_hash(), replica.branch_hash()
        known = self._known.get(number)
        if known is None or (known.base, known.branch) != (base, branch):
            found = differences(replica)
            known = Change(base, branch, changes_to_adopt(replica, found), _stakes(found))
            self._known[number] = known
        return known

    def stakes(self, run: Run) -> dict[int, bytes]:
        """What rewards follow from, by partition."""
        return {n: self.change(n, replica).stakes for n, replica in run.replicas.items()}


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
    compared = Compared()
    for left in reversed(range(TRIES)):
        fork.catch_up()
        order, stakes = _order(fork, reason, who or getpass.getuser()), compared.stakes(fork.run)
        try:
            return await commit(
                history.folder,
                sockets,
                _catch_up(fork, compared, stakes),
                order,
                near=partial(_come_near, fork, compared),
                report=report,
            )
        except _MovedError:
            if not left:
                raise
    raise AssertionError("a last try ends the loop")


def _come_near(fork: Fork, compared: Compared) -> None:
    """Catch up until what is left to do while moves are held is what comes in a moment.

    Each time there is less to be caught up with, as long as a fork is replayed faster than players
    make moves.
    """
    took_s = math.inf
    for _ in range(NEARER):
        began, before_s = time.monotonic(), took_s
        compared.stakes(fork.catch_up())
        took_s = time.monotonic() - began
        if took_s > NEAR * before_s:
            return


def _order(fork: Fork, reason: str, who: str) -> Order:
    return Order(
        who=who,
        why=reason,
        point=cut_text(fork.recipe.point),
        edits=tuple(describe(edit) for edit in fork.recipe.edits),
        policy=fork.recipe.claims,
        recipe=fork.recipe.to_dict(),
        effects=_effects(fork.run),
    )


def _effects(run: Run) -> tuple[Effect, ...]:
    return tuple(
        Effect(e.id, f"{e.do} the reward of stage {e.stage} of hunt {e.hunt}: player {e.player}")
        for e in make_diff(run).rewards
    )


def _stakes(found: Differences) -> bytes:
    """Hash what rewards follow from: all differing words of progress and of who won what."""
    tag, index = tables.tag_of(found.names), tables.index_of(found.names)
    progress = (tag == tables.PLAYER) & (index % np.uint64(8) == 1)
    wins = (tag == tables.STAGE) & (index % np.uint64(16) > 10)
    digest = sha256()
    for column in found:
        digest.update(column[progress | wins].tobytes())
    return digest.digest()


def _catch_up(fork: Fork, compared: Compared, stakes: Mapping[int, bytes]) -> CatchUp:
    async def catch_up(statuses: Mapping[int, Status]) -> Mapping[int, Head]:
        cut = {number: status.position for number, status in statuses.items()}
        await written(fork.history, cut)
        run = fork.catch_up(cut)
        if compared.stakes(run) != stakes:
            what = "rewards changed while the fork was committed"
            raise _MovedError(what, fix="nothing has changed; commit again")
        changes = {n: compared.change(n, replica) for n, replica in run.replicas.items()}
        return {n: Head(cut[n], each.base, each.changes) for n, each in changes.items()}

    return catch_up
