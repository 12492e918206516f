"""History: reading logs, looking events up, branching and comparing, checking and explaining."""

from huntgraph.timeline.diff import Diff
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History
from huntgraph.timeline.log import Log, LogRecords
from huntgraph.timeline.timeline import Timeline, open_timeline
from huntgraph.timeline.verify import Problem, Verification, verify
from huntgraph.timeline.warm import Warm

__all__ = [
    "Diff",
    "Fork",
    "History",
    "Log",
    "LogRecords",
    "Problem",
    "Timeline",
    "Verification",
    "Warm",
    "open_timeline",
    "verify",
]
