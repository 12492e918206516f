"""The bus: what a running actor shows to other processes, read without asking it.

`Ring` gives its events and deltas, `Counters` its numbers and latency histograms. Both are files
that the actor maps into memory; reading them costs the actor nothing.
"""

from huntgraph.bus.counters import Counters, Reading
from huntgraph.bus.histogram import Histogram
from huntgraph.bus.ring import Batch, Gap, Ring

__all__ = ["Batch", "Counters", "Gap", "Histogram", "Reading", "Ring"]
