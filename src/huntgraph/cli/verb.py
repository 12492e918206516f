"""`Verb`: what the command line knows of one verb without importing it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: where its function is, one line about it, more about it, examples."""

    target: str
    about: str
    examples: tuple[str, ...]
    more: str = ""

    @property
    def prologue(self) -> str:
        """The examples as the help page opens with them."""
        return "Examples:\n" + "\n".join(f"  {line}" for line in self.examples) + "\n"

    @property
    def help(self) -> str:
        """What stands below the usage line."""
        return f"{self.about}\n\n{self.more}" if self.more else self.about
