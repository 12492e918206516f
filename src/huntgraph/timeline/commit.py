"""Commit: a correction of all partitions, or of none (docs/operating.md, corrections).

Moves and ticks are held everywhere and borders grow quiet; each partition that is to change is
fenced at the very state that its changes were made for, and all others go on; the cells get their
new words; and once these are on disk with the planned hashes everywhere, a line in the audit trail
decides. What a death leaves half done is finished or undone by `recover`, by that line alone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from huntgraph.cluster.control import Control, Status, refuse
from huntgraph.errors import CommitError, HuntError
from huntgraph.timeline.audit import Audit, Effect, Entry, PartHashes
from huntgraph.timeline.cells import Changes, bare_hash
from huntgraph.timeline.fence import (
    fence,
    has_refused,
    settle,
    settled_somehow,
    sole_writer,
    undo_rows,
)
from huntgraph.timeline.plan import PartPlan, Plan, plan_file

__all__ = ["CatchUp", "Head", "Order", "Report", "commit"]

T = TypeVar("T")
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
    report: Report | None = None,
    step: Callable[[str], None] | None = None,
) -> Entry:
    """Commit a correction in all partitions; gives its entry in the audit trail.

    ``data`` is the folder of the audit trail; ``sockets`` are the control sockets of all
    partitions. ``step`` is called at every step with its name, for tests that die there.
    Raises CommitError HG1611 when a partition is not in the state that its changes were made for,
    HG1612 when one refuses, does not answer or comes to another hash: live is then as it was, and
    what cannot be undone at once is undone by `recover`.
    """
    folder = Path(data)
    with sole_writer(folder):
        at_work = _Commit(folder, order, report or Report(), step or _nothing)
        return await at_work.run(sockets, catch_up)


def _nothing(name: str) -> None:
    """No step is of interest."""


class _Commit:
    """One commit at work."""

    def __init__(
        self, folder: Path, order: Order, report: Report, step: Callable[[str], None]
    ) -> None:
        self.folder, self.order, self.report, self.step = folder, order, report, step
        self.audit = Audit(folder)
        self.controls: dict[int, Control] = {}
        self.began = 0.0
        self.correction = secrets.randbits(63) + 1

    def _at(self, name: str) -> None:
        self.report.steps_ms[name] = 1000 * (time.monotonic() - self.began)
        self.step(name)

    async def run(self, sockets: Mapping[int, Path], catch_up: CatchUp) -> Entry:
        self.audit.entries()  # a damaged trail takes no decision
        async with AsyncExitStack() as stack:
            for number, path in sorted(sockets.items()):
                self.controls[number] = await stack.enter_async_context(await Control.open(path))
            try:
                plan = await self._hold(catch_up)
                await self._spare(plan)
                await self._correct(plan)
            except (HuntError, OSError) as error:
                await self._release()
                if isinstance(error, CommitError):
                    raise
                raise self._failed(str(error)) from error
            entry = self.audit.append(self._entry(plan))
            self._at("decided")
            await self._settle(plan)
            return entry

    async def _each(self, ask: Callable[[int, Control], Awaitable[T]]) -> dict[int, T]:
        """Ask all partitions at once; the first failure is raised when all have answered."""
        asked = (ask(number, control) for number, control in self.controls.items())
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return dict(zip(self.controls, answers, strict=True))  # type: ignore[arg-type]

    async def _hold(self, catch_up: CatchUp) -> Plan:
        self.began = time.monotonic()
        statuses = await self._each(lambda _, control: control.hold())
        self._at("held")
        if any(status.fenced for status in statuses.values()):
            raise self._failed("another correction is under way", "HG1614")
        statuses = await self._quiet()
        self._at("quiet")
        heads = await catch_up(statuses)
        if heads.keys() != self.controls.keys():
            raise self._failed(f"changes for {sorted(heads)}, sockets for {sorted(self.controls)}")
        return Plan(self.correction, {number: _planned(head) for number, head in heads.items()})

    async def _spare(self, plan: Plan) -> None:
        """Let partitions go on in which nothing is to be changed: they take no part in the rest."""
        untouched = {n for n, part in plan.parts.items() if not len(part.changes)}
        await asyncio.gather(*(self.controls[number].release() for number in untouched))
        self.controls = {n: each for n, each in self.controls.items() if n not in untouched}

    async def _correct(self, plan: Plan) -> None:
        """Fence everywhere, set the cells, and wait until all is on disk as planned."""
        writing = asyncio.create_task(asyncio.to_thread(plan.write, self.folder))
        try:
            fenced = await self._each(
                lambda number, control: control.send(
                    fence(self.correction, plan.parts[number].state_hash)
                )
            )
        finally:
            # No cell is set before its plan is on disk.
            await writing
        self._at("fenced")
        stale = [number for number, answers in fenced.items() if has_refused(answers)]
        if stale:
            await self._let_go(plan)
            plan_file(self.folder, self.correction).unlink()
            what = f"partition {stale[0]} is not in the state that the changes were made for"
            raise self._failed(what, "HG1611")
        try:
            await self._set_cells(plan)
        except (HuntError, OSError):
            await self._undo(plan)
            raise
        self._at("durable")

    async def _set_cells(self, plan: Plan) -> None:
        async def correct(number: int, control: Control) -> None:
            rows = plan.parts[number].changes.rows(self.correction)
            refuse(await control.send(rows), f"partition {number}")
            self._at(f"corrected {number}")

        await self._each(correct)
        statuses = await self._each(self._durable)
        for number, status in statuses.items():
            found = bare_hash(status.state_hash, status.position, self.correction)
            if found != plan.parts[number].after:
                raise self._failed(f"partition {number} has not the planned hash")

    async def _quiet(self) -> dict[int, Status]:
        """Wait until nothing is on its way anywhere.

        What happened need not be on disk: the correction comes behind it in the same log.
        """
        by = time.monotonic() + QUIET_S
        while True:
            statuses = await self._each(lambda _, control: control.status())
            late = [number for number, status in statuses.items() if status.parcels]
            if not late:
                return statuses
            if time.monotonic() > by:
                raise self._failed(f"partition {late[0]} did not grow quiet in {QUIET_S:g} s")
            await asyncio.sleep(LOOK_S)

    async def _durable(self, number: int, control: Control) -> Status:
        """Wait until a partition has on disk what it was sent: no longer than for that one."""
        by = time.monotonic() + QUIET_S
        while (status := await control.status()).durable < status.position:
            if time.monotonic() > by:
                raise self._failed(f"partition {number} has nothing on disk in {QUIET_S:g} s")
            await asyncio.sleep(LOOK_S)
        return status

    async def _let_go(self, plan: Plan) -> None:
        """Settle what was fenced and not corrected; what is out of reach lets go by itself."""

        async def ask(number: int, control: Control) -> None:
            with suppress(HuntError, OSError):
                await control.send(settle(self.correction, plan.parts[number].before))

        await self._each(ask)

    async def _undo(self, plan: Plan) -> None:
        """Give the old words back; what is out of reach is left to `recover`."""

        async def ask(number: int, control: Control) -> None:
            with suppress(HuntError, OSError):
                await undo_rows(control, self.correction, plan.parts[number])

        await self._each(ask)

    async def _settle(self, plan: Plan) -> None:
        """It is decided: everything goes on. What is out of reach is left to `recover`."""

        async def ask(number: int, control: Control) -> None:
            with suppress(HuntError, OSError):
                # One after the other, without waiting between: the actor keeps the order.
                part = plan.parts[number]
                await asyncio.gather(
                    settled_somehow(control, self.correction, part), control.release()
                )
                self._at(f"settled {number}")

        await self._each(ask)
        self._at("released")

    async def _release(self) -> None:
        async def ask(_: int, control: Control) -> None:
            with suppress(HuntError, OSError):
                await control.release()

        await self._each(ask)

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
