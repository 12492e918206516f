"""Errors that others raise, as errors of huntgraph: those of the system and of the parser."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from huntgraph.errors import HuntError, UsageError

if TYPE_CHECKING:
    from cyclopts import CycloptsError

__all__ = ["of_system", "of_words"]

_FIXES: Final = {
    errno.ENOSPC: "make room on that disk, then try again",
    errno.EDQUOT: "make room on that disk, then try again",
    errno.EACCES: "run it as a user who may, or choose another place",
    errno.EPERM: "run it as a user who may, or choose another place",
    errno.EROFS: "choose a place that can be written to",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}
_PATH: Final = "check the path"


def of_system(error: OSError) -> HuntError:
    """Give HG1030 for what the system refused: a path, a permission, room on a disk."""
    number = error.errno or 0
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name is not None]
    what = f"the system refused: {error.strerror or error}"
    fix = _FIXES.get(number, _PATH if names else "huntgraph doctor looks over this machine")
    return HuntError(what, where=" and ".join(names), fix=fix, code="HG1030")


def of_words(error: CycloptsError) -> UsageError:
    """Give HG1010 for a command line that cannot be read."""
    from cyclopts import MissingArgumentError

    verb = " ".join(["huntgraph", *(error.command_chain or ())])
    help_page = f"{verb} --help shows what there is"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.name
        lacks_value = any(token.keyword for token in error.argument.tokens) or error.keyword
        lack = "needs a value" if lacks_value else "is missing"
        return UsageError(f"{name} {lack}", fix=help_page)
    what, _, nearest = str(error).partition(" Did you mean ")
    fix = f"did you mean {nearest}" if nearest else help_page
    return UsageError(what.removesuffix("."), fix=fix)
