//! Segments whose header pages are damaged.

use super::{Place, Recovery, io_error};
use crate::disk::{Access, Disk, DiskFile};
use crate::log::error::LogError;
use crate::log::segment::{Segment, SegmentFault, header_page, open_headless, open_segment};

impl<D: Disk> Recovery<'_, D> {
    /// Opens the segment at `index`, and notes when its header page is damaged.
    pub(super) fn open(&mut self, index: usize) -> Result<Segment<D::File>, LogError> {
        let (disk, identity, sequence) = (self.disk, self.identity, self.sequences[index]);
        let whole = |sequence: &u32| open_segment(disk, identity, *sequence, Access::Write);
        let fault = match whole(&sequence) {
            Ok(segment) => return Ok(segment),
            Err(fault) => fault,
        };
        // Whose world it is says the first block of all, or the header of some other segment.
        if matches!(fault, SegmentFault::Headless)
            && (self.sequences[0] == 1 || self.sequences.iter().any(|other| whole(other).is_ok()))
            && let Some(segment) = open_headless(disk, identity, sequence)
                .map_err(|e| io_error(disk, "open a segment", e))?
        {
            if !self.headless.contains(&index) {
                self.headless.push(index);
                let (at, last) = (Place { index, page: 0 }, self.chain.next_position - 1);
                self.damaged.push(self.damage(
                    at,
                    "its header, written again: nothing is lost",
                    last,
                ));
            }
            return Ok(segment);
        }
        Err(fault.into_error(disk.describe(), sequence, self.chain.next_position))
    }

    /// Writes damaged header pages again.
    pub(super) fn rewrite_headers(&mut self) -> Result<(), LogError> {
        for index in self.headless.clone() {
            let (identity, sequence) = (self.identity, self.sequences[index]);
            let file = &self.segment(index)?.file;
            let written = file.bytes().and_then(|bytes| {
                file.write_at(&header_page(identity, sequence, bytes), 0)?;
                file.sync_data()
            });
            written.map_err(|e| io_error(self.disk, "write a segment's header again", e))?;
        }
        Ok(())
    }
}
