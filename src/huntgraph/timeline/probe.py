"""What `bisect` asks another build: state hashes at positions, or all cells at one.

``python -m huntgraph.timeline.probe DIRECTORY WORLD PARTITION POSITION... [--cells FILE]``
replays an actor's log from its start, and prints ``{"hashes": [...]}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from huntgraph.timeline.history import History, Source
from huntgraph.timeline.log import Log
from huntgraph.world import World


def main(arguments: list[str]) -> int:
    """Answer one question."""
    file = Path(arguments[-1]) if arguments[-2] == "--cells" else None
    words = arguments[:-2] if file else arguments
    directory, opened, partition = Path(words[0]), World.open(words[1]), int(words[2])
    log = Log(directory, world_id=opened.world_id, partition=partition)
    # Without its directory no snapshot is used: those were made by a build of their own.
    history = History({partition: Source(partition, opened, log)}, directory)
    engine, hashes = history.start(partition, 0), []
    for position in map(int, words[3:]):
        for records in history.sources[partition].records(engine.position + 1, position):
            engine.apply(records.rows)
            engine.events()
        hashes.append(f"{engine.state_hash():016x}")
    if file is not None:
        names, cells = engine.cells()
        np.savez(file, names=names, words=cells)
    print(json.dumps({"hashes": hashes}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
