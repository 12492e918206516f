"""What the tests of kept logs share: one life, recorded once a run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault.lives import Life, drop, live
from tests.servers import within


@pytest.fixture(scope="session")
def life() -> Iterator[Life]:
    """Some 1.2 million moves in six segments, whole."""
    lived = within(live)
    yield lived
    shutil.rmtree(lived.folder)


@pytest.fixture(scope="session")
def dropped(life: Life) -> Iterator[Path]:
    """The folder of the life that went on and whose beginning was dropped."""
    place = Path(tempfile.mkdtemp(prefix="hg-"))
    folder = life.copy(place)
    within(lambda: drop(life, folder))
    yield folder
    shutil.rmtree(place)
