"""The header of a world file, version 1: encoding, decoding and its checks.

The layout is described in ``docs/reference/world-format.md``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from huntgraph import schema
from huntgraph.errors import WorldChecksumError, WorldFileError, WorldTruncatedError
from huntgraph.world.arrays import checksum, name_contents

MAGIC = b"HGWORLD\0"
VERSION = 1
PAGE = 4096
FLAG_GRID = 1
FLAG_PART = 2

_HEAD = struct.Struct("<8sIIQQQIIHHIII")
_SECTION = struct.Struct("<8sQQII")
_CRC_AT = 56
_SECTIONS_MAX = (PAGE - _HEAD.size) // _SECTION.size

DTYPES = {
    "first": "<u4",
    "head": "<u4",
    "cost": "<u2",
    "x": "<i4",
    "y": "<i4",
    "z": "<i4",
    "name": "<u8",
    "owner": "<u2",
    "twin": "<u4",
    "global": "<u4",
    "meta": "|u1",
}
"""The NumPy type of each section's items."""

REQUIRED = ("first", "head", "cost", "x", "y", "z", "meta")
"""The sections that every world file has; ``name`` is optional."""

PART = ("owner", "twin", "global")
"""The sections that a part of a larger world has besides, and no other file."""

_REMAKE = "make or import the world again, or restore the file from a copy"


@dataclass(frozen=True)
class Section:
    """One section of a world file: where its bytes are, and their CRC-32C."""

    tag: str
    offset: int
    size: int
    crc: int
    item: int

    @property
    def end(self) -> int:
        """Offset of the first byte after the section."""
        return self.offset + self.size


@dataclass(frozen=True)
class Header:
    """What the first 4,096 bytes of a world file say."""

    nodes: int
    edges: int
    world_id: int
    width: int
    height: int
    cost_min: int
    cost_max: int
    sections: tuple[Section, ...]
    is_part: bool = False

    def section(self, tag: str) -> Section | None:
        """Give the section called ``tag``, or ``None``."""
        return next((found for found in self.sections if found.tag == tag), None)

    @property
    def size(self) -> int:
        """Length of the whole file in bytes."""
        return max((section.end for section in self.sections), default=PAGE)


def pages(offset: int) -> int:
    """Round ``offset`` up to a multiple of 4,096."""
    return -(-offset // PAGE) * PAGE


def encode(header: Header) -> bytes:
    """Give the 4,096 bytes of a header, its own CRC-32C filled in."""
    flags = (FLAG_GRID if header.width else 0) | (FLAG_PART if header.is_part else 0)
    fields = (MAGIC, VERSION, flags, header.nodes, header.edges, header.world_id)
    shape = (header.width, header.height, header.cost_min, header.cost_max)
    page = bytearray(PAGE)
    _HEAD.pack_into(page, 0, *fields, *shape, len(header.sections), 0, 0)
    for index, part in enumerate(header.sections):
        row = (part.tag.encode("ascii"), part.offset, part.size, part.crc, part.item)
        _SECTION.pack_into(page, _HEAD.size + index * _SECTION.size, *row)
    struct.pack_into("<I", page, _CRC_AT, checksum(bytes(page)))
    return bytes(page)


def decode(page: bytes, file_size: int, where: object) -> Header:
    """Read a header from the first 4,096 bytes of a file that is ``file_size`` bytes long.

    Raises WorldFileError (not a world file, another version, or rules broken),
    WorldTruncatedError (its length is wrong) or WorldChecksumError (changed bytes).
    """
    if not page.startswith(MAGIC) and not MAGIC.startswith(page[: len(MAGIC)]):
        raise WorldFileError("this is not a world file", where=where, fix="give a world file")
    if len(page) < PAGE:
        what = f"the file ends after {len(page):,} bytes, inside its header"
        raise WorldTruncatedError(what, where=where, fix=_REMAKE)
    _check_crc(page, where)
    fields = _HEAD.unpack_from(page)
    version, flags, nodes, edges, world_id, width, height, cost_min, cost_max = fields[1:10]
    if version != VERSION:
        what = f"the file has version {version}, this program reads version {VERSION}"
        raise WorldFileError(what, where=where, fix="make or import the world again")
    count, spare = fields[10], fields[12]
    known = not flags & ~(FLAG_GRID | FLAG_PART) and bool(flags & FLAG_GRID) == bool(width)
    if count > _SECTIONS_MAX or spare or not known:
        what = "the header has fields that version 1 does not allow"
        raise WorldFileError(what, where=where, fix=_REMAKE)
    parts = tuple(_section(page, index, where) for index in range(count))
    shape = (width, height, cost_min, cost_max)
    header = Header(nodes, edges, world_id, *shape, parts, bool(flags & FLAG_PART))
    _check_sections(header, file_size, where)
    return header


def _check_crc(page: bytes, where: object) -> None:
    (stored,) = struct.unpack_from("<I", page, _CRC_AT)
    blank = page[:_CRC_AT] + bytes(4) + page[_CRC_AT + 4 : PAGE]
    if checksum(blank) != stored:
        what = "the header was changed: its CRC-32C does not match"
        raise WorldChecksumError(what, where=where, fix=_REMAKE)


def _section(page: bytes, index: int, where: object) -> Section:
    row = _SECTION.unpack_from(page, _HEAD.size + index * _SECTION.size)
    try:
        return Section(row[0].rstrip(b"\0").decode("ascii"), *row[1:])
    except UnicodeDecodeError:
        what = f"section {index} has no readable tag"
        raise WorldFileError(what, where=where, fix=_REMAKE) from None


def _check_sections(header: Header, file_size: int, where: object) -> None:
    counts = {"first": header.nodes + 1, "head": header.edges, "cost": header.edges}
    if not 1 <= header.nodes <= schema.NODES or header.edges > header.nodes * schema.DEGREE:
        what = f"{header.nodes:,} nodes and {header.edges:,} edges exceed the limits of a world"
        raise WorldFileError(what, where=where, fix=_REMAKE)
    tags = [part.tag for part in header.sections]
    required = (*REQUIRED, *PART) if header.is_part else REQUIRED
    missing = [tag for tag in required if tag not in tags]
    if not header.is_part and set(PART).intersection(tags):
        what = "it has sections of a part of a world, but its flags do not say that it is one"
        raise WorldFileError(what, where=where, fix=_REMAKE)
    if missing or len(set(tags)) != len(tags):
        what = f"sections missing: {', '.join(missing)}" if missing else "a section stands twice"
        raise WorldFileError(what, where=where, fix=_REMAKE)
    end = PAGE
    for part in sorted(header.sections, key=lambda part: part.offset):
        items = counts.get(part.tag, header.nodes)
        item = int(DTYPES.get(part.tag, "|u1")[-1])
        sized = part.tag == "meta" or part.tag not in DTYPES or part.size == items * item
        known_item = part.tag not in DTYPES or part.item == item
        if part.offset % PAGE or part.offset < end or not (sized and known_item):
            what = f'section "{part.tag}" has a wrong place or size'
            raise WorldFileError(what, where=where, fix=_REMAKE)
        end = part.end
    if header.size != file_size:
        what = f"the file has {file_size:,} bytes where its header promises {header.size:,}"
        raise WorldTruncatedError(what, where=where, fix=_REMAKE)
    first, head, cost = (part.crc for part in map(header.section, REQUIRED[:3]) if part)
    if name_contents(header.nodes, header.edges, (first, head, cost)) != header.world_id:
        what = "the world id does not fit the contents"
        raise WorldFileError(what, where=where, fix=_REMAKE)
