"""Bots: players that walk as they are guided, for demonstrations, tests and load.

`Walkers` decides the moves of many players at once; `drive` sends them over a link, frame by
frame, at a steady pace, and notes latencies and receipts.
"""

from huntgraph.bots.drive import Link, Tally, drive
from huntgraph.bots.walkers import Walkers

__all__ = ["Link", "Tally", "Walkers", "drive"]
