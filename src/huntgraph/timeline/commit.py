"""Commit: a correction of all partitions, or of none (docs/operating.md, corrections).

Moves and ticks are held everywhere and borders grow quiet; what is to be changed in the state that
each partition is in is planned, and all others go on; then each one that is to change is fenced at
that very state and its cells get their new words, in one request; and once these are on disk with
the planned hashes everywhere, a line in the audit trail decides. What a death leaves half done is
finished or undone by `recover`, by that line alone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph.cluster.control import Asked, Control, Request, Status, orders
from huntgraph.cluster.together import Answered, answers_of, ask_each, tell_each
from huntgraph.errors import CommitError, HuntError
from huntgraph.priority import before_all_others
from huntgraph.schema import UPDATE, Code, Frame
from huntgraph.timeline.audit import Audit, Effect, Entry, PartHashes
from huntgraph.timeline.cells import Changes, bare_hash
from huntgraph.timeline.fence import (
    fence,
    settle,
    settled_somehow,
    sole_writer,
    undo_rows,
)
from huntgraph.timeline.plan import PartPlan, Plan, PlanFile

__all__ = ["CatchUp", "Head", "Order", "Report", "commit"]

QUIET_S: Final = 5.0
LOOK_S: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Head:
    """A partition at the position where it was held, and what is to become of it."""

    position: int
    state_hash: int
    changes: Changes


CatchUp = Callable[[Mapping[int, Status]], Awaitable[Mapping[int, Head]]]
"""Called when all partitions are held and quiet, with what they say of themselves: brings whatever
follows them to that position, and gives the changes to make there."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who commits what and why: what the audit trail keeps of it."""

    who: str
    why: str
    point: str = ""
    edits: tuple[str, ...] = ()
    policy: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    kind: str = "commit"
    of: str = ""


@dataclass(slots=True)
class Report:
    """Times of a commit in ms since moves were held, by step."""

    steps_ms: dict[str, float] = field(default_factory=dict)

    @property
    def fence_ms(self) -> float:
        """How long moves waited."""
        return self.steps_ms.get("released", float("nan"))


async def commit(
    data: str | Path,
    sockets: Mapping[int, Path],
    catch_up: CatchUp,
    order: Order,
    *,
    near: Callable[[], None] | None = None,
    report: Report | None = None,
    step: Callable[[str], None] | None = None,
) -> Entry:
    """Commit a correction in all partitions; gives its entry in the audit trail.

    Moves go on before it returns, and then the logs on disk hold all of it: a fork made right
    after knows of it. ``data`` is the folder of the audit trail; ``sockets`` are the control
    sockets of all partitions. ``near`` is called right before moves are held, when all that was
    logged by then can be read: what it leaves to ``catch_up`` is what moves wait for. ``step`` is
    called at every step with its name, for tests that die there.
    Raises CommitError HG1611 when a partition is not in the state that its changes were made for,
    HG1612 when one refuses, does not answer or comes to another hash: live is then as it was, and
    what cannot be undone at once is undone by `recover`.
    """
    folder = Path(data)
    with sole_writer(folder):
        at_work = _Commit(folder, order, report or Report(), step or _nothing)
        return await at_work.run(sockets, near or _nothing, catch_up)


def _nothing(*_: str) -> None:
    """No step is of interest, or nothing is to be brought near."""


class _Commit:
    """One commit at work."""

    def __init__(
        self, folder: Path, order: Order, report: Report, step: Callable[[str], None]
    ) -> None:
        self.folder, self.order, self.report, self.step = folder, order, report, step
        self.audit = Audit(folder)
        self.controls: dict[int, Control] = {}
        self.spared: dict[int, Control] = {}
        """Partitions in which nothing is to be changed, and what they were asked."""
        self.asked: dict[int, list[Asked]] = {}
        self.bordered = False
        """Whether players walk from one partition into another."""
        self.began = 0.0
        self.correction = secrets.randbits(63) + 1

    def _at(self, name: str) -> None:
        self.report.steps_ms[name] = 1000 * (time.monotonic() - self.began)
        self.step(name)

    async def run(
        self, sockets: Mapping[int, Path], near: Callable[[], None], catch_up: CatchUp
    ) -> Entry:
        self.audit.entries()  # a damaged trail takes no decision
        async with AsyncExitStack() as stack:
            file = stack.enter_context(PlanFile.make(self.folder, self.correction))
            for number, path in sorted(sockets.items()):
                self.controls[number] = await stack.enter_async_context(await Control.open(path))
            try:
                with before_all_others():
                    entry = await self._fence(near, catch_up, file)
                await self._written()
                return entry
            finally:
                await answers_of(self.spared, self.asked)

    async def _approach(self, near: Callable[[], None]) -> None:
        """Let actors be ready, all that they logged on disk; then what follows them come near."""
        answered = await ask_each(self.controls, lambda _: [Request(Frame.READY)])
        answered.by_all()
        near()

    async def _fence(self, near: Callable[[], None], catch_up: CatchUp, file: PlanFile) -> Entry:
        """What is done while moves wait, and right before."""
        try:
            await self._approach(near)
            plan = await self._hold(catch_up)
            self._spare(plan)
            file.write(plan)
            self._at("planned")
            entry = await self._correct(plan)
        except (HuntError, OSError) as error:
            await self._release()
            if isinstance(error, CommitError):
                raise
            raise self._failed(str(error)) from error
        entry = self.audit.append(entry)
        self._at("decided")
        await self._settle(plan)
        return entry

    async def _hold(self, catch_up: CatchUp) -> Plan:
        self.began = time.monotonic()
        statuses = await self._statuses(Frame.HOLD)
        self._at("held")
        if any(status.fenced for status in statuses.values()):
            raise self._failed("another correction is under way", "HG1614")
        self.bordered = any(status.part for status in statuses.values())
        if self.bordered:
            statuses = await self._quiet()
        self._at("quiet")
        heads = await catch_up(statuses)
        if heads.keys() != self.controls.keys():
            raise self._failed(f"changes for {sorted(heads)}, sockets for {sorted(self.controls)}")
        return Plan(self.correction, {number: _planned(head) for number, head in heads.items()})

    async def _statuses(self, kind: Frame) -> dict[int, Status]:
        """What all say of themselves, asked by STATUS, or by HOLD."""
        answered = await ask_each(self.controls, lambda _: [Request(kind)])
        return {n: Status.from_body(body) for n, (body,) in answered.by_all().items()}

    def _spare(self, plan: Plan) -> None:
        """Let partitions go on in which nothing is to be changed; neighbours when all are fenced.

        All they have to do with it is to have on disk what they had: it is of the commit's cut,
        and a death would put other records in the places of those that it lost. Whoever goes on
        earlier may send a player to a neighbour that is to be in the planned state.
        """
        for number in [n for n, part in plan.parts.items() if not len(part.changes)]:
            self.spared[number] = self.controls.pop(number)
        sync = [Request(Frame.SYNC)]
        requests = sync if self.bordered else [Request(Frame.RELEASE), *sync]
        self.asked = tell_each(self.spared, lambda _: requests)

    async def _correct(self, plan: Plan) -> Entry:
        """Fence everywhere and set the cells, until all is on disk as planned; what to decide."""
        entries: list[Entry] = []

        def requests(number: int) -> Iterator[Request]:
            self._at(f"correcting {number}")
            part = plan.parts[number]
            rows = part.changes.rows(self.correction)
            yield from orders(np.concatenate([fence(self.correction, part.state_hash), rows]))
            yield Request(Frame.SYNC)

        def meanwhile() -> None:
            entries.append(self._entry(plan))

        answered = await ask_each(self.controls, requests, meanwhile=meanwhile)
        try:
            self._check(plan, answered)
            self._check_spared(plan, await answers_of(self.spared, self.asked))
            if self.bordered:
                self.asked = tell_each(self.spared, lambda _: [Request(Frame.RELEASE)])
        except (HuntError, OSError):
            await self._undo(plan)
            raise
        self._at("durable")
        return entries[0]

    def _check(self, plan: Plan, answered: Answered) -> None:
        """Raise what keeps a partition from having its new words on disk, if anything does."""
        for number, (*bodies, status) in answered.by_all().items():
            codes = np.concatenate([np.frombuffer(body, UPDATE)["code"] for body in bodies])
            if codes[0] == Code.STALE_HASH:
                what = f"partition {number} is not in the state that the changes were made for"
                raise self._failed(what, "HG1611")
            if codes.any():
                what = Code(int(codes[codes != 0][0])).name
                raise self._failed(f"partition {number} refused the correction: {what}")
            found = Status.from_body(status)
            self._check_disk(number, found, found.position)
            bare = bare_hash(found.state_hash, found.position, self.correction)
            if bare != plan.parts[number].after:
                raise self._failed(f"partition {number} has not the planned hash")

    def _check_spared(self, plan: Plan, answered: Answered) -> None:
        """Raise what keeps a partition that takes no part from having its past on disk."""
        for number, (*_, status) in answered.by_all().items():
            self._check_disk(number, Status.from_body(status), plan.parts[number].position)

    def _check_disk(self, number: int, found: Status, position: int) -> None:
        if found.durable < position:
            raise self._failed(f"partition {number} has not all on disk")

    async def _quiet(self) -> dict[int, Status]:
        """Wait until nothing is on its way anywhere.

        What happened need not be on disk: the correction comes behind it in the same log.
        """
        by = time.monotonic() + QUIET_S
        while True:
            statuses = await self._statuses(Frame.STATUS)
            late = [number for number, status in statuses.items() if status.parcels]
            if not late:
                return statuses
            if time.monotonic() > by:
                raise self._failed(f"partition {late[0]} did not grow quiet in {QUIET_S:g} s")
            await asyncio.sleep(LOOK_S)

    async def _undo(self, plan: Plan) -> None:
        """Give the old words back; what is out of reach is left to `recover`."""

        async def ask(number: int, control: Control) -> None:
            with suppress(HuntError, OSError):
                await undo_rows(control, self.correction, plan.parts[number])

        await asyncio.gather(*(ask(number, each) for number, each in self.controls.items()))

    async def _settle(self, plan: Plan) -> None:
        """It is decided: everything goes on. What is out of reach is left to `recover`."""

        def requests(number: int) -> list[Request]:
            self._at(f"settling {number}")
            end = settle(self.correction, plan.parts[number].after)
            return [*orders(end), Request(Frame.RELEASE)]

        answered = await ask_each(self.controls, requests)
        for number, (body, _) in answered.bodies.items():
            if np.frombuffer(body, UPDATE)["code"].any():
                with suppress(HuntError, OSError):
                    part = plan.parts[number]
                    await settled_somehow(self.controls[number], self.correction, part)
        self._at("released")

    async def _written(self) -> None:
        """Moves go on; whoever reads the logs from now on finds the whole correction in them."""
        await ask_each(self.controls, lambda _: [Request(Frame.SYNC)])

    async def _release(self) -> None:
        await ask_each(self.controls, lambda _: [Request(Frame.RELEASE)])

    def _entry(self, plan: Plan) -> Entry:
        order, name = self.order, f"{self.correction:016x}"
        parts = tuple(
            PartHashes(number, part.position, f"{part.before:016x}", f"{part.after:016x}")
            for number, part in sorted(plan.parts.items())
        )
        cells = sum(len(part.changes) for part in plan.parts.values())
        return Entry(
            id=name, kind=order.kind, at_ms=time.time_ns() // 1_000_000, who=order.who,
            why=order.why, point=order.point, edits=order.edits, policy=order.policy,
            recipe=order.recipe, of=order.of, parts=parts, diff_hash=_diff_hash(plan),
            cells=cells, effects=order.effects,
        )  # fmt: skip

    def _failed(self, what: str, code: str = "HG1612") -> CommitError:
        fix = "nothing has changed; replay the fork to the head and commit again"
        return CommitError(what, where=self.folder, fix=fix, code=code)


def _planned(head: Head) -> PartPlan:
    before = bare_hash(head.state_hash, head.position)
    after = head.changes.hash_after(before)
    return PartPlan(head.position, head.state_hash, before, after, head.changes)


def _diff_hash(plan: Plan) -> str:
    """SHA-256 over partitions, names, old and new words."""
    digest = sha256()
    for number, part in sorted(plan.parts.items()):
        order = np.argsort(part.changes.names)
        digest.update(number.to_bytes(2, "little"))
        for column in (part.changes.names, part.changes.old, part.changes.new):
            digest.update(column[order].tobytes())
    return digest.hexdigest()
