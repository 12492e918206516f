//! Writing a snapshot.

use super::{
    CHUNK_BYTES, DATA_OFFSET, SnapshotError, SnapshotHeader, TEMPORARY_NAME, encode, io_error,
    name_of, table_offset,
};
use crate::crc::{crc32c, crc32c_append};
use crate::disk::{Disk, DiskFile};
use std::io;

/// A snapshot being written, piece by piece.
pub struct SnapshotWriter<'a, D: Disk> {
    disk: &'a D,
    file: D::File,
    header: SnapshotHeader,
    written: u64,
    chunk_crc: u32,
    table: Vec<u8>,
}

impl<'a, D: Disk> SnapshotWriter<'a, D> {
    /// Starts a snapshot of `header.length` bytes. An unfinished one is replaced.
    pub fn begin(disk: &'a D, header: SnapshotHeader) -> Result<Self, SnapshotError> {
        let io = |source| io_error(disk, "create a snapshot", source);
        match disk.remove(TEMPORARY_NAME) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        Ok(Self {
            disk,
            file: disk.create(TEMPORARY_NAME).map_err(io)?,
            header,
            written: 0,
            chunk_crc: 0,
            table: Vec::with_capacity((header.length as usize / CHUNK_BYTES + 1) * 4),
        })
    }

    /// Writes the next bytes, as many as is convenient.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), SnapshotError> {
        let wanted = self.header.length;
        let given = self.written + bytes.len() as u64;
        if given > wanted {
            return Err(SnapshotError::Length { wanted, given });
        }
        while !bytes.is_empty() {
            let in_chunk = (self.written % CHUNK_BYTES as u64) as usize;
            let (piece, rest) = bytes.split_at(bytes.len().min(CHUNK_BYTES - in_chunk));
            self.file
                .write_at(piece, DATA_OFFSET + self.written)
                .map_err(|e| io_error(self.disk, "write a snapshot", e))?;
            self.chunk_crc = crc32c_append(self.chunk_crc, piece);
            self.written += piece.len() as u64;
            if self.written.is_multiple_of(CHUNK_BYTES as u64) {
                self.end_chunk();
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Makes the snapshot durable under its name, which is returned.
    ///
    /// # Errors
    /// `snapshot-length` when bytes are missing, `snapshot-io`.
    pub fn finish(mut self) -> Result<String, SnapshotError> {
        let (wanted, given) = (self.header.length, self.written);
        if wanted != given {
            return Err(SnapshotError::Length { wanted, given });
        }
        if !self.written.is_multiple_of(CHUNK_BYTES as u64) {
            self.end_chunk();
        }
        let io = |source| io_error(self.disk, "finish a snapshot", source);
        let table_at = table_offset(self.written);
        self.file.write_at(&self.table, table_at).map_err(io)?;
        let page = encode(&self.header, crc32c(&self.table));
        self.file.write_at(&page, 0).map_err(io)?;
        self.file.sync_data().map_err(io)?;
        let name = name_of(self.header.position);
        self.disk.rename(TEMPORARY_NAME, &name).map_err(io)?;
        self.disk.sync_dir().map_err(io)?;
        Ok(name)
    }

    fn end_chunk(&mut self) {
        self.table.extend_from_slice(&self.chunk_crc.to_le_bytes());
        self.chunk_crc = 0;
    }
}

/// Writes a whole snapshot; its file name.
pub fn write_snapshot<D: Disk>(
    disk: &D,
    header: SnapshotHeader,
    bytes: &[u8],
) -> Result<String, SnapshotError> {
    let mut writer = SnapshotWriter::begin(disk, header)?;
    writer.write(bytes)?;
    writer.finish()
}
