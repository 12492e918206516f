"""The ring's reader on files written by hand according to the ring format."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.bus import Gap, Ring
from huntgraph.errors import ActorError

MAGIC = int.from_bytes(b"HGRING\0\0", "little")
STREAMED = np.uint64(1 << 63)


class Writer:
    """Writes a ring as docs/reference/ring-format.md says."""

    def __init__(self, path: Path, slots: int = 64) -> None:
        path.write_bytes(bytes(4096 + slots * 64))
        self.words: NDArray[Any] = np.memmap(path, dtype="<u8", mode="r+")
        self.slots = slots
        self.words[1:4] = 2, slots, 64
        self.words[0] = MAGIC

    @property
    def head(self) -> int:
        return int(self.words[16])

    def slot(self, sequence: int) -> NDArray[Any]:
        at = 512 + sequence % self.slots * 8
        return self.words[at : at + 8]

    def claim(self, end: int) -> None:
        """Say that slots of sequences below ``end`` may be written, in strides."""
        stride = self.slots // 16
        self.words[32] = max(int(self.words[32]), -(-end // stride) * stride)

    def publish(self, count: int = 1) -> None:
        for _ in range(count):
            sequence = self.head
            self.claim(sequence + 1)
            slot = self.slot(sequence)
            # position and player carry the sequence, so that a torn copy can be told.
            slot[1], slot[2] = sequence, sequence * 3
            slot[3:] = sequence
            slot[0] = sequence + 1
            self.words[16] = sequence + 1

    def publish_many(self, count: int) -> None:
        """Publish a batch at once, for a reader that does not look meanwhile."""
        self.claim(self.head + count)
        sequences = np.arange(self.head, self.head + count, dtype=np.uint64)
        slots = self.words[512:].reshape(-1, 8)
        at = sequences % np.uint64(self.slots)
        slots[at, 1:] = sequences[:, None]
        slots[at, 2] = sequences * np.uint64(3)
        slots[at, 0] = sequences + np.uint64(1) | STREAMED
        self.words[16] = self.head + count


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "ring")


def open_ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "ring")


def test_a_new_reader_starts_at_what_comes_next(writer: Writer, tmp_path: Path) -> None:
    writer.publish(5)
    ring = open_ring(tmp_path)
    assert ring.slots == 64
    assert (ring.next, ring.lag, len(ring.read().events)) == (5, 0, 0)
    writer.publish(2)
    batch = ring.read()
    assert (batch.first, batch.gap) == (5, None)
    assert batch.events["stamp"].tolist() == [6, 7]
    assert batch.events["player"].tolist() == [15, 18]


def test_batches_follow_each_other_over_the_end_of_the_file(writer: Writer, tmp_path: Path) -> None:
    ring, seen = open_ring(tmp_path), []
    for _ in range(40):
        writer.publish(7)
        batch = ring.read(5)
        while len(batch.events):
            assert batch.gap is None
            assert batch.first == batch.events["position"][0]
            seen += batch.events["position"].tolist()
            batch = ring.read(5)
    assert seen == list(range(280))


def test_a_lapped_reader_is_told_exactly_what_it_lost(writer: Writer, tmp_path: Path) -> None:
    ring = open_ring(tmp_path)
    writer.publish(200)
    batch = ring.read()
    assert batch.gap == Gap(0, 200 - 64 + 8 - 1)
    assert batch.gap.count == 144
    assert batch.first == 144
    assert batch.events["position"].tolist() == list(range(144, 200))
    assert ring.read().gap is None


def test_seeking_back_gives_what_is_still_there(writer: Writer, tmp_path: Path) -> None:
    writer.publish(100)
    ring = open_ring(tmp_path)
    ring.seek(90)
    assert ring.read().events["position"].tolist() == list(range(90, 100))
    ring.seek(3)
    batch = ring.read()
    assert batch.gap is not None
    assert batch.gap.first == 3
    assert batch.first == batch.gap.last + 1
    with pytest.raises(ValueError):
        ring.seek(-1)


def test_skipping_to_the_latest_tells_the_gap(writer: Writer, tmp_path: Path) -> None:
    ring = open_ring(tmp_path)
    writer.publish(50)
    assert ring.skip_to_latest(10) == Gap(0, 39)
    assert ring.read().first == 40
    assert ring.skip_to_latest(10) is None


def test_a_slot_that_is_claimed_anew_is_not_given_out(writer: Writer, tmp_path: Path) -> None:
    writer.publish(64)
    ring = open_ring(tmp_path)
    ring.seek(0)
    # The writer has claimed a stride, begun sequence 64 and not moved the head on yet.
    writer.claim(65)
    writer.slot(64)[1] = 64
    batch = ring.read()
    assert batch.gap == Gap(0, 4 + 8 - 1)
    assert batch.events["position"].tolist() == list(range(12, 64))


@pytest.mark.parametrize("planted", [False, True], ids=["claims first", "claims afterwards"])
def test_a_claim_in_the_midst_of_a_copy_takes_back_what_it_covers(
    writer: Writer, tmp_path: Path, planted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.publish(64)
    ring = open_ring(tmp_path)
    ring.seek(0)
    copy = ring._copy

    def overtaken(first: int, end: int) -> Any:
        if not planted:
            writer.claim(72)
        writer.slot(64)[2] = 64 * 3
        return copy(first, end)

    monkeypatch.setattr(ring, "_copy", overtaken)
    batch = ring.read()
    torn = batch.events["player"] != batch.events["position"] * 3
    assert torn.any() == planted
    assert batch.gap == (None if planted else Gap(0, 7))


def test_a_reader_beside_a_running_writer_never_sees_a_torn_event(
    writer: Writer, tmp_path: Path
) -> None:
    ring, over = open_ring(tmp_path), threading.Event()

    def write() -> None:
        for _ in range(400):
            writer.publish(50)
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    expected = 0
    while not (over.is_set() and ring.lag == 0):
        batch = ring.read(48)
        if batch.gap is not None:
            assert batch.gap.first == expected
            expected = batch.gap.last + 1
        assert batch.first == expected
        expected += len(batch.events)
        assert (batch.events["player"] == batch.events["position"] * 3).all()
        assert (batch.events["stamp"] == batch.events["position"] + 1).all()
    thread.join()
    assert expected == 20_000


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda path: path.unlink(), "HG1461"),
        (lambda path: path.write_bytes(b""), "HG1461"),
        (lambda path: path.write_bytes(bytes(8192)), "HG1461"),
        (lambda path: path.write_bytes(b"something else entirely\n" * 512), "HG1462"),
        (lambda path: path.write_bytes(path.read_bytes()[:-64]), "HG1462"),
    ],
)
def test_what_is_no_ring_is_refused(
    writer: Writer, tmp_path: Path, break_it: Any, code: str
) -> None:
    path = tmp_path / "ring"
    del writer
    break_it(path)
    with pytest.raises(ActorError) as caught:
        open_ring(tmp_path)
    assert caught.value.code == code
    assert caught.value.fix


def test_a_replaced_file_is_noticed(writer: Writer, tmp_path: Path) -> None:
    ring = open_ring(tmp_path)
    seen = [ring.replaced]
    (tmp_path / "ring").unlink()
    seen.append(ring.replaced)
    Writer(tmp_path / "ring")
    seen += [ring.replaced, open_ring(tmp_path).replaced]
    assert seen == [False, True, True, False]
