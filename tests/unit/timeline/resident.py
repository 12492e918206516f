"""Resident memory that a test may compare: of a process in which nothing else ever ran."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

PAGE = 4096


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def alone(function: Callable[..., int], *given: object) -> int:
    """What a function gives in a process of its own: here other tests' memory comes and goes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *given).result()
