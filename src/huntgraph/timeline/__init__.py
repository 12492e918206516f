"""History: reading a partition's log and checking it."""

from huntgraph.timeline.log import Log, LogRecords
from huntgraph.timeline.verify import Problem, Verification, verify

__all__ = ["Log", "LogRecords", "Problem", "Verification", "verify"]
