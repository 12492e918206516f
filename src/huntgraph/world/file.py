"""Writing a world file whole or not at all, and mapping it back into memory."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import WorldChecksumError, WorldError, WorldFileError
from huntgraph.world import format as layout
from huntgraph.world.arrays import WorldArrays, checksum
from huntgraph.world.part import read_part

_RESTORE = "make or import the world again, or restore the file from a copy"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` when the block ends well.

    The bytes and the directory are synced to the disk. When the block fails nothing is left behind
    and a file that stood at ``path`` is untouched.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_directory(path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(world: WorldArrays, path: Path) -> None:
    """Write ``world`` to ``path``, whole or not at all. Raises WorldError when it cannot."""
    meta = json.dumps(dict(world.meta), sort_keys=True, ensure_ascii=False).encode()
    contents = {**world.sections(), "meta": meta}
    offset, parts = layout.PAGE, []
    for tag, data in contents.items():
        size = len(data) if isinstance(data, bytes) else data.nbytes
        item = int(layout.DTYPES[tag][-1])
        parts.append(layout.Section(tag, offset, size, checksum(data), item))
        offset = layout.pages(offset + size)
    real = world.cost[world.cost > 0]
    low, high = (int(real.min()), int(real.max())) if len(real) else (0, 0)
    shape = (world.width, world.height, low, high)
    ids = (world.nodes, world.edges, world.world_id)
    header = layout.Header(*ids, *shape, tuple(parts), is_part=world.part is not None)
    try:
        with replacing(path) as file:
            file.write(layout.encode(header))
            for part in parts:
                file.write(bytes(part.offset - file.tell()))
                file.write(_bytes_of(contents[part.tag]))
    except OSError as error:
        what = f"the world file could not be written: {error.strerror or error}"
        fix = "check that the folder is there, may be written to and has room"
        raise WorldError(what, where=path, fix=fix) from error


def _bytes_of(data: bytes | NDArray[Any]) -> bytes | memoryview:
    if isinstance(data, bytes):
        return data
    return np.ascontiguousarray(data).view(np.uint8).data


def read(path: Path, *, contents: bool) -> WorldArrays:
    """Map the world file at ``path``; with ``contents`` the CRC-32C of all bytes are checked.

    Raises WorldFileError, WorldTruncatedError or WorldChecksumError.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = layout.decode(file.read(layout.PAGE), size, path)
            raw = np.asarray(np.memmap(file, dtype=np.uint8, mode="r"))
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
        raise WorldFileError(what, where=path, fix="check the path and its permissions") from error
    if contents:
        _check_contents(header, raw, path)
    columns = {tag: _column(header, raw, tag) for tag in layout.DTYPES if header.section(tag)}
    meta = _meta(columns.pop("meta").tobytes(), path)
    columns.setdefault("name", None)
    if header.is_part:
        owner, twin, global_ids = (columns.pop(tag) for tag in layout.PART)
        columns["part"] = read_part(owner, twin, global_ids, meta, path)
    return WorldArrays(
        **columns,
        width=header.width,
        height=header.height,
        world_id=header.world_id,
        meta=meta,
    )


def _column(header: layout.Header, raw: NDArray[np.uint8], tag: str) -> Any:
    part = header.section(tag)
    assert part is not None
    return raw[part.offset : part.end].view(layout.DTYPES[tag])


def _check_contents(header: layout.Header, raw: NDArray[np.uint8], path: Path) -> None:
    end = layout.PAGE
    for part in sorted(header.sections, key=lambda part: part.offset):
        if checksum(raw[part.offset : part.end]) != part.crc:
            what = f'section "{part.tag}" was changed: its CRC-32C does not match'
            raise WorldChecksumError(what, where=path, fix=_RESTORE)
        if raw[end : part.offset].any():
            what = f'the gap before section "{part.tag}" was changed: it is not all zero'
            raise WorldChecksumError(what, where=path, fix=_RESTORE)
        end = part.end


def _meta(data: bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise WorldFileError("meta is not a JSON object", where=path, fix=_RESTORE)
    return found
