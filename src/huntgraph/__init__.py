"""A live treasure-hunt engine for game servers."""
