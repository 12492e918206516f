//! Segments whose header pages are damaged.

use super::{Place, Recovery, io_error};
use crate::disk::{Access, Disk, DiskFile};
use crate::log::error::LogError;
use crate::log::segment::{Segment, SegmentFault, header_page, open_headless, open_segment};

impl<D: Disk> Recovery<'_, D> {
    /// Opens the segment at `index`, and notes when its header page is damaged.
    pub(super) fn open_at(&mut self, index: usize) -> Result<Segment<D::File>, LogError> {
        let (disk, sequence) = (self.disk, self.sequences[index]);
        let fault = match self.open_whole(sequence) {
            Ok(segment) => return Ok(segment),
            Err(fault) => fault,
        };
        if matches!(fault, SegmentFault::Headless) && self.knows_its_world() {
            let opened = open_headless(disk, self.identity, sequence);
            if let Some(segment) = opened.map_err(|e| io_error(disk, "open a segment", e))? {
                self.note_headless(index);
                return Ok(segment);
            }
        }
        Err(fault.into_error(disk.describe(), sequence, self.chain.next_position))
    }

    fn open_whole(&self, sequence: u32) -> Result<Segment<D::File>, SegmentFault> {
        open_segment(self.disk, self.identity, sequence, Access::Write)
    }

    /// Whether the hash of the first block of all, or some header, says which world's log it is.
    fn knows_its_world(&self) -> bool {
        self.sequences[0] == 1
            || self.sequences.iter().any(|&sequence| self.open_whole(sequence).is_ok())
    }

    fn note_headless(&mut self, index: usize) {
        if !self.headless.contains(&index) {
            let (at, last) = (Place { index, page: 0 }, self.chain.next_position - 1);
            let damage = self.damage(at, "its header, written again: nothing is lost", last);
            self.headless.push(index);
            self.damaged.push(damage);
        }
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
