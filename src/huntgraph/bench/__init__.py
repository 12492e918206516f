"""Measurements of this build on this machine: ``names()`` lists them, ``run(name)`` makes one.

A result is one JSON-ready dict: ``name``, ``figures`` (flat), ``machine``, ``load`` (of the machine
before, and what was offered), ``idle_policy``, ``commit``, ``samples``, ``distribution`` where
times were measured, ``floor``: what the machine alone cost in the same run, and ``notes``: which
rivals there is nothing of, and why. A rival that is not installed is never a failure.

>>> from huntgraph import bench
>>> bench.names()  # doctest: +NORMALIZE_WHITESPACE
('apply', 'roundtrip', 'frame', 'idle', 'quic', 'handshake', 'durable', 'memory',
 'allocations', 'jetstream', 'quic_rivals', 'edges', 'ring', 'rivals', 'guidance', 'soak')
"""

from huntgraph.bench.suite import names, run
from huntgraph.bench.table import figures_table, load_results, put_tables

__all__ = ["figures_table", "load_results", "names", "put_tables", "run"]
