"""A world in parts: one partition a file, one actor a partition, all of them neighbours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from huntgraph.cluster.actor import ActorOptions
from huntgraph.errors import UsageError
from huntgraph.schema import PEERS

__all__ = ["find_parts", "part_options"]

NAME: Final = re.compile(r"part-(\d+)\.hgw")


def find_parts(folder: Path) -> dict[int, Path]:
    """Give the files ``part-NN.hgw`` of a folder by partition.

    Raises UsageError when there are none, or their numbers are not those from 0 on.
    """
    names = {path: NAME.fullmatch(path.name) for path in sorted(folder.glob("part-*.hgw"))}
    found = {int(match[1]): path for path, match in names.items() if match}
    if not found or sorted(found) != list(range(len(found))) or len(found) > PEERS:
        what = f"{len(found)} parts of a world, numbered {sorted(found)}"
        fix = f"name a folder with part-00.hgw, part-01.hgw and so on, at most {PEERS}"
        raise UsageError(what, where=folder, fix=fix)
    return dict(sorted(found.items()))


def part_options(
    parts: Mapping[int, Path], directories: Mapping[int, Path], options: ActorOptions
) -> list[ActorOptions]:
    """Give each part's options: those given, but for world, directory, number and neighbours.

    A port that is not 0 is that of partition 0; the others follow it.
    """
    host, _, port = options.listen.rpartition(":")
    return [
        replace(
            options,
            partition=number,
            world=world,
            directory=directories[number],
            listen=f"{host}:{int(port) + number if int(port) else 0}",
            neighbours={other: path for other, path in directories.items() if other != number},
        )
        for number, world in parts.items()
    ]
