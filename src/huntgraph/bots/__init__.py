"""Bots: players that walk as they are guided, for demonstrations, tests and load.

`Walkers` decides the moves of many players at once; `drive` sends them over a link, frame by
frame, at a steady pace, and notes latencies and receipts; `play` does so for whole parties, each
over a link of its own; `play_over_borders` over links to all partitions of a world.
"""

from huntgraph.bots.drive import Link, Tally, drive
from huntgraph.bots.party import Credentials, parties, play, play_over_borders
from huntgraph.bots.walkers import Walkers

__all__ = [
    "Credentials",
    "Link",
    "Tally",
    "Walkers",
    "drive",
    "parties",
    "play",
    "play_over_borders",
]
