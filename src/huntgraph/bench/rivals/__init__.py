"""Other people's libraries, one a module; `huntgraph.bench.outside` runs each in a process."""
