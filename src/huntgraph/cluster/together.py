"""Several actors asked at once: all are told before any answer is waited for.

Moves may wait meanwhile, so answers are read one actor after the other: whoever waits for the first
is not woken for each of the rest. What takes longer than a moment is left to the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from huntgraph.cluster.control import TIMEOUT_S, Asked, Control, Request

__all__ = ["Answered", "answers_of", "ask_each", "tell_each"]

MOMENT_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Answered:
    """By partition, the bodies of the answers; or why there are none."""

    bodies: dict[int, list[bytes]] = field(default_factory=dict)
    failures: dict[int, BaseException] = field(default_factory=dict)

    def by_all(self) -> dict[int, list[bytes]]:
        """Give what all have answered. Raises the first failure when somebody has not."""
        for failure in self.failures.values():
            raise failure
        return self.bodies


async def ask_each(
    controls: Mapping[int, Control],
    requests: Callable[[int], Iterable[Request]],
    *,
    meanwhile: Callable[[], object] | None = None,
) -> Answered:
    """Ask all actors, each what is given for its partition, and wait until all have answered.

    ``meanwhile`` is called once all have been asked. Failures are those of `Control`: ActorError
    when an actor is gone or gives no answer in time, RefusedError when it ends the connection.
    """
    asked = tell_each(controls, requests)
    if meanwhile is not None:
        meanwhile()
    return await answers_of(controls, asked)


def tell_each(
    controls: Mapping[int, Control], requests: Callable[[int], Iterable[Request]]
) -> dict[int, list[Asked]]:
    """Ask all actors, and wait for nothing: what `answers_of` waits for."""
    return {number: control.post(requests(number)) for number, control in controls.items()}


async def answers_of(controls: Mapping[int, Control], asked: Mapping[int, list[Asked]]) -> Answered:
    """Wait until all actors that were asked have answered; see `ask_each`."""
    by = time.monotonic() + MOMENT_S
    for number, answers in asked.items():
        controls[number].read_now(answers, by)
    waiting = [each for answers in asked.values() for each in answers if not each.done()]
    if waiting:
        await asyncio.wait(waiting, timeout=TIMEOUT_S)
    found = Answered()
    for number, answers in asked.items():
        if (failure := _failure(controls[number], answers)) is None:
            found.bodies[number] = [each.result()[1] for each in answers]
        else:
            found.failures[number] = failure
    return found


def _failure(control: Control, answers: list[Asked]) -> BaseException | None:
    """The first failure among the answers; without any in time the connection is over."""
    late = control.give_up(TIMEOUT_S) if not all(each.done() for each in answers) else None
    failures = [each.exception() for each in answers if each.done()]
    return next((failure for failure in failures if failure is not None), late)
