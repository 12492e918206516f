"""`Answers`: each sender gets its own updates, however they come."""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest

from huntgraph.client.answers import Answers, Batch
from huntgraph.errors import LinkError
from huntgraph.schema import UPDATE


def rows(first: int, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    updates = np.zeros(count, dtype=UPDATE)
    updates["echo"] = np.arange(first, first + count)
    return updates.view(np.uint8).reshape(-1, 64)


def test_answers_find_their_senders_however_they_are_cut(rng: random.Random) -> None:
    async def scene() -> None:
        answers = Answers()
        batches: list[tuple[int, Batch]] = []
        posted: list[int] = []
        total = 0
        for number in range(50):
            count = rng.randint(1, 40)
            if number % 5 == 4:
                answers.expect(count, None)
                posted += range(total, total + count)
            else:
                batch = Batch(count)
                first = rng.randint(0, count)  # taken in by two calls
                for part in (first, count - first):
                    if part:
                        answers.expect(part, batch)
                batches.append((total, batch))
            total += count
        assert answers.unread == len(posted)
        at = 0
        while at < total:
            count = min(rng.randint(1, 100), total - at)
            answers.take(rows(at, count))
            at += count
        for first, batch in batches:
            await batch.done
            wanted = list(range(first, first + len(batch.rows)))
            assert batch.updates()["echo"].tolist() == wanted
        assert answers.posted().reshape(-1).view(UPDATE)["echo"].tolist() == posted
        assert (answers.unread, answers.unclaimed, len(answers.posted())) == (0, 0, 0)

    asyncio.run(scene())


def test_a_cancelled_sender_takes_nothing_from_the_next() -> None:
    async def scene() -> None:
        answers = Answers()
        first, second = Batch(3), Batch(2)
        answers.expect(3, first)
        answers.expect(2, second)
        first.done.cancel()
        answers.take(rows(0, 5))
        await second.done
        assert second.updates()["echo"].tolist() == [3, 4]
        assert answers.unclaimed == 3

    asyncio.run(scene())


def test_a_failure_reaches_all_who_wait() -> None:
    async def scene() -> None:
        answers = Answers()
        batch = Batch(2)
        answers.expect(2, batch)
        answers.take(rows(0, 1))
        answers.fail(LinkError("over"))
        with pytest.raises(LinkError, match="over"):
            await batch.done

    asyncio.run(scene())
