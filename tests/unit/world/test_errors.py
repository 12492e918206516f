"""Every error has a code of its own, says what, where and what to do, and crosses processes."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from huntgraph import errors
from huntgraph.errors import HuntError, RefusedError, SourceError, WorldError, did_you_mean

KINDS = [
    each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, HuntError)
]


def test_the_tree_is_the_one_drawn() -> None:
    drawing = errors.__doc__ or ""
    codes = [kind.default_code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    for kind in KINDS:
        assert kind.__name__ in errors.__all__
        line = next(
            line for line in drawing.splitlines() if re.search(rf"\b{kind.__name__}\b", line)
        )
        code = "HG2nnn" if kind is RefusedError else kind.default_code
        assert code in line


def test_what_where_and_fix() -> None:
    error = WorldError("it broke", where="a.world", fix="mend it", code="HG1199")
    assert str(error) == "HG1199 a.world: it broke (mend it)"
    assert str(HuntError("it broke")) == "HG1000 it broke"
    assert error.to_dict() == {
        "code": "HG1199",
        "what": "it broke",
        "where": "a.world",
        "fix": "mend it",
    }
    error_in_file = SourceError("a hole", file="a.map", line=3, column=7)
    assert error_in_file.where == "a.map:3:7"
    refused = RefusedError(17, "the edge is closed", fix="take another")
    assert (refused.code, refused.refusal) == ("HG2017", 17)


@pytest.mark.parametrize(
    "error",
    [
        WorldError("it broke", where="a.world", fix="mend it"),
        SourceError("a hole", file="a.map", line=3, column=7, fix="fill it"),
        RefusedError(17, "closed"),
        errors.LinkTimeoutError("late"),
    ],
)
def test_errors_cross_processes(error: HuntError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert vars(again) == vars(error)
        assert str(again) == str(error)
    assert isinstance(errors.LinkTimeoutError("late"), TimeoutError)
    assert isinstance(errors.WorldLookupError("gone"), LookupError)


def test_did_you_mean() -> None:
    assert did_you_mean("improt", ["import", "info"]) == 'did you mean "import"?'
    assert did_you_mean("zzz", ["b", "a"]) == "known are: a, b"
