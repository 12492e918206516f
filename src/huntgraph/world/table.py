"""Numbers out of large text files: every field located at once, errors with line and column."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import SourceError
from huntgraph.world.arrays import I64, Bools

_DIGITS_MAX = 18  # what always fits 64 signed bits
_FIELD_MAX = 20  # and with a sign and a point


class Decimals(NamedTuple):
    """Exact decimal numbers: ``mantissa / 10**places``."""

    mantissa: I64
    places: I64


def read_source(path: Path) -> bytes:
    """Read a file to be imported. Raises SourceError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
        raise SourceError(what, file=path, fix="check the path and its permissions") from error


@dataclass(frozen=True)
class Table:
    """The fields of a text file, in order: where each begins and ends, and its line (from 1)."""

    file: Path
    data: NDArray[np.uint8]
    start: I64
    stop: I64
    line: I64

    @classmethod
    def by_blanks(cls, file: Path, text: bytes) -> Table:
        """Split ``text`` at blanks, tabs and line ends; there are no empty fields."""
        data = np.frombuffer(text, dtype=np.uint8)
        gap = np.zeros(256, dtype=np.bool_)
        gap[list(b" \t\r\n")] = True
        between = np.ones(len(data) + 2, dtype=np.bool_)
        between[1:-1] = gap[data]
        turns = np.flatnonzero(between[1:] != between[:-1])
        return cls(file, data, turns[0::2], turns[1::2], _lines(data, turns[0::2]))

    @classmethod
    def by_mark(cls, file: Path, text: bytes, mark: str) -> Table:
        """Split ``text`` at every ``mark`` (one ASCII character) and line end; skip empty lines."""
        if text and not text.endswith(b"\n"):
            text += b"\n"
        data = np.frombuffer(text, dtype=np.uint8)
        stop = np.flatnonzero((data == ord(mark)) | (data == ord("\n")))
        start = np.concatenate([np.zeros(min(1, len(stop)), dtype=np.int64), stop[:-1] + 1])
        line = _lines(data, start)
        start, stop = _stripped(data, start, stop)
        alone = np.bincount(line, minlength=1)[line] == 1
        keep = ~(alone & (start == stop))
        return cls(file, data, start[keep], stop[keep], line[keep])

    def heads(self) -> I64:
        """Give the first field of each line that has fields."""
        fresh = np.ones(len(self.line), dtype=np.bool_)
        np.not_equal(self.line[1:], self.line[:-1], out=fresh[1:])
        return np.flatnonzero(fresh)

    def text(self, field: int) -> str:
        """Give one field as text, shortened when it is very long."""
        found = self.data[self.start[field] : self.stop[field]].tobytes()
        return found[:60].decode("utf-8", "replace")

    def error(self, field: int, what: str, fix: str = "") -> SourceError:
        """Make an error that points at ``field``."""
        at = int(self.start[field])
        column = at - self.data[:at].tobytes().rfind(b"\n")
        return SourceError(what, file=self.file, line=int(self.line[field]), column=column, fix=fix)

    def check_width(self, heads: I64, width: int, what: str) -> None:
        """Refuse the file when a line has not ``width`` fields."""
        counts = np.diff(heads, append=len(self.line))
        wrong = np.flatnonzero(counts != width)
        if len(wrong):
            at = int(wrong[0])
            found = int(counts[at])
            raise SourceError(
                f"{found} field{'s' * (found != 1)} where {width} belong: {what}",
                file=self.file,
                line=int(self.line[heads[at]]),
                fix="correct the line or remove it",
            )

    def whole(self, fields: I64, what: str) -> I64:
        """Read ``fields`` as whole numbers >= 0."""
        mantissa, places = self.decimals(fields, what)
        wrong = np.flatnonzero((places != 0) | (mantissa < 0))
        if len(wrong):
            at = int(fields[wrong[0]])
            fix = "write a whole number >= 0"
            raise self.error(at, f'"{self.text(at)}" is not {what}', fix)
        return mantissa

    def decimals(self, fields: I64, what: str) -> Decimals:
        """Read ``fields`` as exact decimal numbers."""
        mantissa, places, odd = self._plain(fields)
        # Exponents and very long numbers are rare: they are read one by one.
        for at in np.flatnonzero(odd):
            mantissa[at], places[at] = self._one(int(fields[at]), what)
        return Decimals(mantissa, places)

    def _plain(self, fields: I64) -> tuple[I64, I64, Bools]:
        start = self.start[fields]
        length = self.stop[fields] - start
        count = len(fields)
        mantissa, digits, places = (np.zeros(count, dtype=np.int64) for _ in range(3))
        negative, pointed = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        odd = length > _FIELD_MAX
        for step in range(min(int(length.max(initial=0)), _FIELD_MAX)):
            live = np.flatnonzero(length > step)
            char = self.data[start[live] + step]
            figure = char - np.uint8(48)
            is_digit = figure < 10
            is_point = (char == ord(".")) & ~pointed[live]
            is_sign = (char == ord("-")) if step == 0 else np.zeros(len(live), dtype=np.bool_)
            odd[live] |= ~(is_digit | is_point | is_sign)
            negative[live] |= is_sign
            here = live[is_digit]
            mantissa[here] = mantissa[here] * 10 + figure[is_digit]
            digits[here] += 1
            places[here] += pointed[here]
            pointed[live] |= is_point
        odd |= (digits == 0) | (digits > _DIGITS_MAX)
        return np.where(negative, -mantissa, mantissa), places, odd

    def _one(self, field: int, what: str) -> tuple[int, int]:
        try:
            return exact(self.text(field))
        except OverflowError as error:
            fix = "scale or round the numbers of the file first"
            raise self.error(field, f'"{self.text(field)}" has {error}', fix) from None
        except ValueError:
            text = f'"{self.text(field)}" is not {what}'
            raise self.error(field, text, "write a number") from None


def exact(text: str) -> tuple[int, int]:
    """Read a decimal number, exponent or not, as ``(mantissa, places)``.

    Raises ValueError when it is none, OverflowError when it has more than 18 digits.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite():
        raise ValueError(text)
    sign, digits, exponent = number.normalize().as_tuple()
    assert isinstance(exponent, int)
    if not -_DIGITS_MAX <= exponent <= _DIGITS_MAX or len(digits) + exponent > _DIGITS_MAX:
        raise OverflowError(f"more than {_DIGITS_MAX} digits")
    value = int("".join(map(str, digits))) * 10 ** max(0, exponent)
    if value >= 10**_DIGITS_MAX:
        raise OverflowError(f"more than {_DIGITS_MAX} digits")
    return (-value if sign else value), max(0, -exponent)


def _lines(data: NDArray[np.uint8], start: I64) -> I64:
    return np.searchsorted(np.flatnonzero(data == ord("\n")), start) + 1


def _stripped(data: NDArray[np.uint8], start: I64, stop: I64) -> tuple[I64, I64]:
    """Cut blanks, tabs and carriage returns off both ends of every field."""
    blank = np.zeros(256, dtype=np.bool_)
    blank[list(b" \t\r")] = True
    while True:
        cut = (start < stop) & blank[data[np.minimum(start, len(data) - 1)]]
        if not cut.any():
            break
        start = start + cut
    while True:
        cut = (start < stop) & blank[data[np.maximum(stop - 1, 0)]]
        if not cut.any():
            break
        stop = stop - cut
    return start, stop
