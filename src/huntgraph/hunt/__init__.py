"""Hunts: the format, its checks, and the records that publish one.

::

    hunt = load("night.yaml")
    for finding in check(hunt, world):
        print(finding)
    rows = hunt.compile(world, slot=0)
    rows_by_partition = hunt.compile_parts(parts, slot=0)
"""

from huntgraph.hunt.check import check, check_file
from huntgraph.hunt.finding import Finding, HuntInvalidError
from huntgraph.hunt.generate import generate_hunt
from huntgraph.hunt.hunt import Award, Hunt, load, loads
from huntgraph.hunt.jsonschema import SCHEMA_FILE, schema, schema_text
from huntgraph.hunt.parts import AnyParts, compile_parts, crowding, rows_of_parts
from huntgraph.hunt.places import AnyWorld
from huntgraph.hunt.rows import compile_rows, wait_ticks

__all__ = [
    "SCHEMA_FILE",
    "AnyParts",
    "AnyWorld",
    "Award",
    "Finding",
    "Hunt",
    "HuntInvalidError",
    "check",
    "check_file",
    "compile_parts",
    "compile_rows",
    "crowding",
    "generate_hunt",
    "load",
    "loads",
    "rows_of_parts",
    "schema",
    "schema_text",
    "wait_ticks",
]
