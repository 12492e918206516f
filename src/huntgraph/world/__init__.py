"""Worlds: nodes with positions, directed edges with a base cost, and where they come from.

`World` opens and saves world files and builds worlds from edges; `generate` makes one from a seed;
`import_world` reads MovingAI maps, GPPC scenarios, DIMACS and LDBC graphs, CSV and Parquet edge
lists; `from_networkx` takes a graph in memory. `split` cuts a world into the `Parts` that actors
serve.
"""

from huntgraph.world.csv_edges import import_csv
from huntgraph.world.dimacs import import_dimacs
from huntgraph.world.generate import generate
from huntgraph.world.gppc import EdgeChanges, GppcScenario, GppcState, Patch, import_gppc
from huntgraph.world.ldbc import import_ldbc
from huntgraph.world.movingai import Query, import_movingai, read_scenario
from huntgraph.world.networkx_graph import from_networkx
from huntgraph.world.parquet import import_parquet
from huntgraph.world.part import Part
from huntgraph.world.parts import Parts
from huntgraph.world.sources import FORMATS, SUFFIXES, import_world
from huntgraph.world.split import split
from huntgraph.world.world import Csr, World

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Csr",
    "EdgeChanges",
    "GppcScenario",
    "GppcState",
    "Part",
    "Parts",
    "Patch",
    "Query",
    "World",
    "from_networkx",
    "generate",
    "import_csv",
    "import_dimacs",
    "import_gppc",
    "import_ldbc",
    "import_movingai",
    "import_parquet",
    "import_world",
    "read_scenario",
    "split",
]
