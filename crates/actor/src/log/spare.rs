//! Making the next segment ahead of time, from nothing or from a dropped one.
//!
//! All of it happens under the name `spare.tmp`: zeros over the whole file in slices, each synced;
//! then the header page, synced; then the rename and the sync of the directory. A crash anywhere
//! leaves a temporary file (removed at the next start) or a whole empty segment. A dropped segment
//! loses its name, durably, before its first byte changes, so that its old blocks are never read.

use super::block::PAGE_BYTES;
use super::segment::{Identity, SPARE_NAME, Segment, SegmentName, header_page};
use super::worker::{Fault, Outcome};
use crate::disk::{Access, Disk, DiskFile};
use std::io;

/// The file `spare.tmp`, if there is one.
pub(crate) struct Spare<F> {
    file: Option<F>,
    zeroed_bytes: u64,
}

/// How far a segment is.
pub(crate) enum Progress<F> {
    /// Another slice is needed.
    More,
    /// It stands under its name and survives a power cut.
    Ready(Segment<F>),
}

impl<F: DiskFile> Spare<F> {
    pub(crate) fn none() -> Self {
        Self { file: None, zeroed_bytes: 0 }
    }

    /// Zeroes one slice, or finishes the file as segment `sequence`.
    pub(crate) fn advance<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        identity: Identity,
        sequence: u32,
        segment_bytes: u64,
        slice_bytes: u64,
    ) -> Outcome<Progress<F>> {
        let file = match self.file.take() {
            Some(file) => self.file.insert(file),
            None => {
                self.zeroed_bytes = 0;
                let created = disk.create(SPARE_NAME);
                self.file.insert(created.map_err(|e| Fault("create a segment", e))?)
            }
        };
        if self.zeroed_bytes < segment_bytes {
            let to = segment_bytes.min(self.zeroed_bytes + slice_bytes);
            let zeroed = file.zero_fill(self.zeroed_bytes, to);
            zeroed.map_err(|e| Fault("fill a segment with zeros", e))?;
            // Each slice at once: one sync of a whole segment would hold up commits.
            file.sync_data().map_err(|e| Fault("sync an empty segment", e))?;
            self.zeroed_bytes = to;
            return Ok(Progress::More);
        }
        let header = header_page(identity, sequence, segment_bytes);
        file.write_at(&header, 0).map_err(|e| Fault("write a segment's header", e))?;
        file.sync_data().map_err(|e| Fault("sync a segment's header", e))?;
        disk.rename(SPARE_NAME, SegmentName::new(sequence).as_str())
            .map_err(|e| Fault("name a segment", e))?;
        match (disk.sync_dir(), self.file.take()) {
            (Ok(()), Some(file)) => Ok(Progress::Ready(Segment {
                file,
                sequence,
                pages: (segment_bytes / PAGE_BYTES as u64) as u32,
            })),
            (Ok(()), None) => unreachable!("inserted above"),
            // The name stands already: this is no longer a file to be given up, whatever the
            // error says.
            (Err(_), _) => Err(Fault(
                "sync the log's directory",
                io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()),
            )),
        }
    }

    /// Removes the unfinished file.
    pub(crate) fn discard<D: Disk<File = F>>(&mut self, disk: &D) -> io::Result<()> {
        match self.file.take() {
            Some(_) => disk.remove(SPARE_NAME),
            None => Ok(()),
        }
    }

    /// Drops segment `sequence`: keeps its space for the next one (then `true`) unless there is a
    /// spare file already or it has another size.
    pub(crate) fn take_over<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        sequence: u32,
        segment_bytes: u64,
    ) -> Outcome<bool> {
        let fault = |e| Fault("drop a segment", e);
        let name = SegmentName::new(sequence);
        let file = disk.open(name.as_str(), Access::Write).map_err(fault)?;
        let recycle = self.file.is_none() && file.bytes().map_err(fault)? == segment_bytes;
        if recycle {
            disk.rename(name.as_str(), SPARE_NAME).map_err(fault)?;
            self.file = Some(file);
            self.zeroed_bytes = 0;
        } else {
            disk.remove(name.as_str()).map_err(fault)?;
        }
        disk.sync_dir().map_err(fault)?;
        Ok(recycle)
    }
}
