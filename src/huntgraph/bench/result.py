"""What a measurement gives, before the machine and the commit are written beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """The figures of one measurement, and what stands beside them in the result."""

    figures: dict[str, float]
    samples: int
    offered: str
    idle_policy: str
    distribution: dict[str, Any] = field(default_factory=dict)
    floor: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    """By name of a rival: why there is nothing of it."""
