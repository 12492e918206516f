"""``python -m huntgraph`` is the command ``huntgraph``."""

from huntgraph.cli import main

main()
